using RenderFarm.Api.Keys;

namespace RenderFarm.Api.Alerts;

/// <summary><c>/v1/alerts</c>, for administrators: what fires now.</summary>
internal static class AlertEndpoints
{
    public static void MapAlerts(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/alerts", ListAsync)
            .RequireScope(Scopes.Admin)
            .WithTags("Alerts")
            .WithSummary("Alerts that fire now, the gravest first; nothing where the farm knows no Alertmanager");

    private static async Task<AlertList> ListAsync(Alertmanager alertmanager, CancellationToken cancellationToken) =>
        alertmanager.IsKnown
            ? new AlertList(
                true,
                [
                    .. (await alertmanager.FiringAsync(cancellationToken))
                        .Select(AlertView.Of)
                        .OrderByDescending(alert => alert.Severity == "critical")
                        .ThenBy(alert => alert.Since),
                ]
            )
            : new AlertList(false, []);
}

/// <param name="Severity">The rule's own word, such as <c>critical</c>.</param>
/// <param name="RunbookUrl">What to do.</param>
/// <param name="Since">Unix seconds.</param>
internal sealed record AlertView(
    string Name,
    string? Severity,
    string? Summary,
    string? Description,
    string? RunbookUrl,
    long Since,
    IReadOnlyDictionary<string, string> Labels
)
{
    public string Object { get; } = "alert";

    public static AlertView Of(FiringAlert alert)
    {
        var (labels, notes) = (alert.Labels ?? new Dictionary<string, string>(), alert.Annotations ?? new Dictionary<string, string>());
        var runbook = notes.GetValueOrDefault("runbook_url");
        return new AlertView(
            labels.GetValueOrDefault("alertname") ?? "",
            labels.GetValueOrDefault("severity"),
            notes.GetValueOrDefault("summary"),
            notes.GetValueOrDefault("description"),
            Uri.TryCreate(runbook, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? runbook : null,
            alert.StartsAt.ToUnixTimeSeconds(),
            labels
        );
    }
}

/// <param name="Configured">Whether anybody was asked.</param>
internal sealed record AlertList(bool Configured, IReadOnlyList<AlertView> Data)
{
    public string Object { get; } = "list";
}
