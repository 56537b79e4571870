using System.Text.Json;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Alerts;

/// <summary>Asks Alertmanager for the alerts that fire and that nobody has silenced.</summary>
internal sealed class Alertmanager(IOptions<DashboardOptions> options) : IDisposable
{
    private const string Firing = "/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=false";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Whoever looks at a page waits for it.</summary>
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(3), MaxResponseContentBufferSize = 4 << 20 };

    public bool IsKnown => options.Value.AlertmanagerUrl.Length > 0;

    /// <exception cref="ApiErrorException">503: it does not answer, or answers what is none.</exception>
    public async Task<IReadOnlyList<FiringAlert>> FiringAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = await _http.GetFromJsonAsync<List<FiringAlert>>(
                options.Value.AlertmanagerUrl.TrimEnd('/') + Firing,
                Json,
                cancellationToken
            );
            return found ?? [];
        }
        catch (Exception e)
            when (e is HttpRequestException or JsonException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw ApiError.Unavailable("Alertmanager (Dashboard:AlertmanagerUrl)").AsException();
        }
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>As Alertmanager's second interface has it.</summary>
internal sealed record FiringAlert(
    IReadOnlyDictionary<string, string>? Labels,
    IReadOnlyDictionary<string, string>? Annotations,
    DateTimeOffset StartsAt
);
