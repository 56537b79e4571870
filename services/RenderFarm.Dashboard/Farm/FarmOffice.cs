using Microsoft.AspNetCore.Http;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Farm;

/// <summary>What whoever runs the farm sees beside its cards.</summary>
/// <param name="Alerts">Null: Alertmanager does not answer.</param>
/// <param name="Grafana">Where it is; null where the farm does not know.</param>
public sealed record FarmOffice(IReadOnlyList<InvitationRecord> Invitations, AlertsRecord? Alerts, Uri? Grafana)
{
    private const string GrafanaKey = "Dashboard:GrafanaUrl";

    public static async Task<FarmOffice> LookAsync(Visitor visitor)
    {
        var invitations = await visitor.GetAsync<ListRecord<InvitationRecord>>("/v1/workers/invitations");
        var settings = await visitor.GetAsync<SettingsRecord>("/v1/settings");
        var grafana = settings.Data.FirstOrDefault(setting => setting.Key == GrafanaKey)?.Value;
        return new FarmOffice(
            invitations.Data,
            await AlertsAsync(visitor),
            Uri.TryCreate(grafana, UriKind.Absolute, out var address) ? address : null
        );
    }

    private static async Task<AlertsRecord?> AlertsAsync(Visitor visitor)
    {
        try
        {
            return await visitor.GetAsync<AlertsRecord>("/v1/alerts");
        }
        catch (FarmRefusalException e) when (e.Refusal.Status == StatusCodes.Status503ServiceUnavailable)
        {
            return null;
        }
    }
}
