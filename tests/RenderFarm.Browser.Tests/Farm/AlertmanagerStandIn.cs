using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>Says as Alertmanager does that two alerts fire.</summary>
internal sealed class AlertmanagerStandIn : IAsyncDisposable
{
    private const string Firing = """
        [
          {"labels": {"alertname": "QueueWaits", "severity": "warning"}, "startsAt": "2026-12-01T03:00:00.000Z",
           "annotations": {"summary": "Videos of t2v-14b wait longer than an hour", "description": "The oldest has waited 71 min."}},
          {"labels": {"alertname": "StoreDown", "severity": "critical"}, "startsAt": "2026-12-01T04:00:00.000Z",
           "annotations": {"summary": "The job store does not answer", "runbook_url": "https://example.org/runbooks/store-down.md"}}
        ]
        """;

    private readonly WebApplication _app;

    private AlertmanagerStandIn(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public static async Task<AlertmanagerStandIn> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(Firing);
        });
        await app.StartAsync();
        return new AlertmanagerStandIn(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
