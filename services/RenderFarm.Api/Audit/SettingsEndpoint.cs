using RenderFarm.Api.Keys;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Audit;

/// <summary><c>GET /v1/settings</c>, for administrators: what this API process runs with.</summary>
internal static class SettingsEndpoint
{
    public static void MapSettings(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/settings", (SettingsInForce settings) => new SettingsView(settings.All))
            .WithTags("Audit")
            .RequireScope(Scopes.Admin)
            .WithSummary("Every setting that this API process runs with; secrets read `***`");
}

internal sealed record SettingsView(IReadOnlyList<SettingInForce> Data)
{
    public string Object { get; } = "list";
}
