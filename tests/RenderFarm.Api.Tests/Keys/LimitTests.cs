using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RenderFarm.Api.Tests.Keys;

/// <summary>A farm whose clock stands still.</summary>
public sealed class StillFarm : IAsyncLifetime
{
    public FakeTimeProvider Clock { get; } = new(TimeProvider.System.GetUtcNow());
    public TestFarm Farm { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Farm = await TestFarm.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(Clock));
        await Farm.RegisterWorkerAsync();
    }

    public ValueTask DisposeAsync() => Farm.DisposeAsync();
}

/// <summary>A key's quotas and its rate, as its holder meets them.</summary>
public sealed class LimitTests(StillFarm still) : IClassFixture<StillFarm>
{
    private readonly TestFarm _farm = still.Farm;
    private readonly FakeTimeProvider _clock = still.Clock;

    [Fact]
    public async Task Create_PastTheQueuedQuota_Is429UntilOneIsCancelled()
    {
        var tenant = await TenantAsync(new { name = "t", quotas = new { queued = 1 } });
        var first = (string)(await _farm.SubmitAsync(by: tenant))["id"]!;

        var reply = await tenant.PostAsJsonAsync("/v1/videos", new { prompt = "b" });
        Assert.Equal("15", reply.Headers.GetValues("Retry-After").Single());
        var refusal = await reply.RefusalAsync();
        Assert.Equal((429, "quota_exceeded"), (refusal.Status, refusal.Code));
        Assert.Contains("'queued'", refusal.Message, StringComparison.Ordinal);

        await tenant.PostAsync($"/v1/videos/{first}/cancel", null);
        await _farm.SubmitAsync(by: tenant);
    }

    [Fact]
    public async Task Create_PastTheDailyQuota_Is429SayingWhenItFrees_AndSdksDontRepeatIt()
    {
        var tenant = await TenantAsync(new { name = "t", quotas = new { per_day = 1 } });
        await _farm.SubmitAsync(by: tenant);
        var midnight = _clock.GetUtcNow().UtcDateTime.Date.AddDays(1);

        var reply = await tenant.PostAsJsonAsync("/v1/videos", new { prompt = "b" });
        Assert.Equal("false", reply.Headers.GetValues("x-should-retry").Single());
        Assert.InRange(int.Parse(reply.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 86_400);
        var refusal = await reply.RefusalAsync();
        Assert.Equal((429, "quota_exceeded"), (refusal.Status, refusal.Code));
        Assert.Contains(midnight.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retry_PastTheDailyQuota_Is429_AndTheVideoStaysAsItWas()
    {
        var tenant = await TenantAsync(new { name = "t", quotas = new { per_day = 2 } });
        var id = (string)(await _farm.SubmitAsync(by: tenant))["id"]!;
        await tenant.PostAsync($"/v1/videos/{id}/cancel", null);
        Assert.Equal(HttpStatusCode.OK, (await tenant.PostAsync($"/v1/videos/{id}/retry", null)).StatusCode);
        await tenant.PostAsync($"/v1/videos/{id}/cancel", null);

        var refusal = await (await tenant.PostAsync($"/v1/videos/{id}/retry", null)).RefusalAsync();

        Assert.Equal((429, "quota_exceeded"), (refusal.Status, refusal.Code));
        Assert.Contains("'per_day'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("failed", (string)(await (await tenant.GetAsync($"/v1/videos/{id}")).JsonAsync())["status"]!);

        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(HttpStatusCode.OK, (await tenant.PostAsync($"/v1/videos/{id}/retry", null)).StatusCode);
    }

    [Fact]
    public async Task Create_ARepeatOfWhatWasTaken_IsAnsweredAlsoWhereTheQuotaIsUsedUp()
    {
        var tenant = await TenantAsync(new { name = "t", quotas = new { per_day = 1, queued = 1 } });
        tenant.DefaultRequestHeaders.Add("Idempotency-Key", "once");

        Assert.Equal((string)(await _farm.SubmitAsync(by: tenant))["id"]!, (string)(await _farm.SubmitAsync(by: tenant))["id"]!);
    }

    [Fact]
    public async Task AnyCall_PastTheRate_Is429WithRetryAfter_AndTheBucketFillsAgain()
    {
        var tenant = await TenantAsync(new { name = "t", requests_per_minute = 3 });
        for (var left = 2; left >= 0; left--)
        {
            var reply = await tenant.GetAsync("/v1/videos");
            Assert.Equal(
                (HttpStatusCode.OK, "3", left.ToString(CultureInfo.InvariantCulture)),
                (
                    reply.StatusCode,
                    reply.Headers.GetValues("x-ratelimit-limit-requests").Single(),
                    reply.Headers.GetValues("x-ratelimit-remaining-requests").Single()
                )
            );
        }

        var refused = await tenant.GetAsync("/v1/videos");
        Assert.Equal("20", refused.Headers.GetValues("Retry-After").Single());
        Assert.Equal((429, "rate_limited"), await refused.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        Assert.Equal(HttpStatusCode.OK, (await _farm.User.GetAsync("/v1/videos")).StatusCode);

        _clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(HttpStatusCode.OK, (await tenant.GetAsync("/v1/videos")).StatusCode);
    }

    [Fact]
    public async Task Keys_ShowLimitsAndUse()
    {
        var made = await (
            await _farm.User.PostAsJsonAsync(
                "/v1/keys",
                new
                {
                    name = "t",
                    quotas = new
                    {
                        queued = 5,
                        running = 2,
                        per_day = 100,
                    },
                    requests_per_minute = 60,
                }
            )
        ).JsonAsync();
        await _farm.SubmitAsync(by: _farm.ClientWith((string)made["key"]!));

        var shown = await (await _farm.User.GetAsync($"/v1/keys/{(string)made["id"]!}")).JsonAsync();

        Assert.Null(shown["key"]);
        Assert.Equal(
            (5, 2, 100, 60),
            (
                (int)shown["quotas"]!["queued"]!,
                (int)shown["quotas"]!["running"]!,
                (int)shown["quotas"]!["per_day"]!,
                (int)shown["requests_per_minute"]!
            )
        );
        Assert.Equal((1, 0, 1), ((int)shown["usage"]!["queued"]!, (int)shown["usage"]!["running"]!, (int)shown["usage"]!["today"]!));
        Assert.Equal(
            (404, "not_found"),
            await (await _farm.User.GetAsync("/v1/keys/key_none")).RefusalAsync() is var r ? (r.Status, r.Code) : default
        );
    }

    [Theory]
    [InlineData("""{"name":"t","quotas":{"queue":1}}""", "unknown_parameter", "quotas.queue", "'queued'")]
    [InlineData("""{"name":"t","quotas":{"per_day":-1}}""", "invalid_value", "quotas.per_day", "from 0")]
    [InlineData("""{"name":"t","scopes":["root"]}""", "invalid_value", "scopes", "submit, read, admin, worker")]
    [InlineData("""{"name":"t","priority_ceiling":101}""", "invalid_value", "priority_ceiling", "100")]
    [InlineData("""{"scopes":["read"]}""", "invalid_value", "name", "required")]
    public async Task Keys_MadeWithABadField_Are400NamingIt(string body, string code, string param, string remedy)
    {
        var refusal = await (
            await _farm.User.PostAsync("/v1/keys", new StringContent(body, System.Text.Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, code, param), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains(remedy, refusal.Message, StringComparison.Ordinal);
    }

    private async Task<HttpClient> TenantAsync(object fields) =>
        _farm.ClientWith((string)(await (await _farm.User.PostAsJsonAsync("/v1/keys", fields)).JsonAsync())["key"]!);
}
