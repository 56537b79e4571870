using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace RenderFarm.Api.Tests.Alerts;

public sealed class AlertTests : IAsyncLifetime
{
    private WebApplication _alertmanager = null!;
    private string _asked = "";
    private string _answer = "[]";

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _alertmanager = builder.Build();
        _alertmanager.Run(context =>
        {
            _asked = context.Request.Path + context.Request.QueryString;
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(_answer);
        });
        await _alertmanager.StartAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _alertmanager.DisposeAsync();

    [Fact]
    public async Task List_OfWhatFires_HasTheGravestFirst()
    {
        _answer = """
            [{"labels":{"alertname":"QueueSlow","severity":"warning","model":"tiny"},"annotations":{"summary":"The queue is slow",
              "runbook_url":"javascript:alert(1)"},"startsAt":"2026-12-01T03:00:00.000Z","status":{"state":"active"}},
             {"labels":{"alertname":"StoreDown","severity":"critical"},"annotations":{"summary":"Down","description":"No answer.",
              "runbook_url":"https://example.org/store"},"startsAt":"2026-12-01T04:00:00.000Z"}]
            """;
        await using var farm = await TestFarm.StartAsync($"--Dashboard:AlertmanagerUrl={_alertmanager.Urls.First()}/watch/");

        var answer = (await farm.User.GetFromJsonAsync<JsonNode>("/v1/alerts"))!;

        Assert.Equal("/watch/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=false", _asked);
        Assert.True((bool)answer["configured"]!);
        var (first, second) = (answer["data"]![0]!, answer["data"]![1]!);
        Assert.Equal(("StoreDown", "critical"), ((string)first["name"]!, (string)first["severity"]!));
        Assert.Equal(("Down", "No answer."), ((string)first["summary"]!, (string)first["description"]!));
        Assert.Equal(("https://example.org/store", 1_796_097_600L), ((string)first["runbook_url"]!, (long)first["since"]!));
        Assert.Equal(("QueueSlow", "tiny"), ((string)second["name"]!, (string)second["labels"]!["model"]!));
        Assert.Null(second["runbook_url"]);
        using var tenant = await farm.NewTenantAsync("submit", "read");
        Assert.Equal(403, (int)(await tenant.GetAsync("/v1/alerts")).StatusCode);
    }

    [Fact]
    public async Task List_WithoutAnAlertmanager_IsEmptyAndSaysSo()
    {
        await using var farm = await TestFarm.StartAsync();
        var answer = (await farm.User.GetFromJsonAsync<JsonNode>("/v1/alerts"))!;
        Assert.Equal((false, 0), ((bool)answer["configured"]!, answer["data"]!.AsArray().Count));
    }

    [Fact]
    public async Task List_AlertmanagerAwayOrAnother_IsUnavailable()
    {
        await using var farm = await TestFarm.StartAsync($"--Dashboard:AlertmanagerUrl={_alertmanager.Urls.First()}");
        _answer = "<html>";
        Assert.Equal((503, "unavailable"), await RefusedAsync(farm));
        await _alertmanager.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal((503, "unavailable"), await RefusedAsync(farm));
    }

    private static async Task<(int, string)> RefusedAsync(TestFarm farm)
    {
        var refusal = await (await farm.User.GetAsync("/v1/alerts")).RefusalAsync();
        return (refusal.Status, refusal.Code);
    }
}
