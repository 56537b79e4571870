using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace RenderFarm.Api.Tests.Keys;

/// <summary>Guesses are limited by the address they come from, and told of in one line a minute.</summary>
public sealed class WrongKeyTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly FakeLoggerProvider _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task WrongKeys_PastTheLimit_Are429_WhileAKeyThatIsKnownWorksOn()
    {
        await using var farm = await FarmAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(farm, farm.AdminKey));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(farm, Wrong(i)));
        }

        using var refused = await SendAsync(farm, Wrong(9));
        Assert.Equal("20", refused.Headers.GetValues("Retry-After").Single());
        Assert.Equal((429, "rate_limited"), await refused.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(farm, farm.AdminKey));
        // Nothing is looked up for a request that shows no key.
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(farm, null));

        _clock.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(farm, Wrong(10)));
    }

    [Fact]
    public async Task WrongKeys_BehindATrustedProxy_CountForTheirClient()
    {
        await using var farm = await FarmAsync("--Api:TrustedProxies:0=127.0.0.1/32");
        for (var i = 0; i < 3; i++)
        {
            await StatusAsync(farm, Wrong(i), "203.0.113.5");
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(farm, Wrong(5), "203.0.113.5"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(farm, Wrong(6), "203.0.113.6"));
    }

    [Fact]
    public async Task WrongKeys_FromWhoIsNoProxyOfOurs_CountForWhoeverConnects()
    {
        await using var farm = await FarmAsync();
        for (var i = 0; i < 3; i++)
        {
            await StatusAsync(farm, Wrong(i), $"203.0.113.{i}");
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(farm, Wrong(5), "203.0.113.99"));
    }

    [Fact]
    public async Task WrongKeys_AreOneLineAMinute()
    {
        await using var farm = await FarmAsync("--Keys:WrongKeysPerMinute=0");
        for (var i = 0; i < 5; i++)
        {
            await StatusAsync(farm, Wrong(i));
        }

        Assert.Single(Logged());
        _clock.Advance(TimeSpan.FromMinutes(1));
        await StatusAsync(farm, Wrong(6));

        Assert.Collection(Logged(), line => Assert.StartsWith("1 ", line), line => Assert.StartsWith("5 ", line));
    }

    private string[] Logged() =>
        [
            .. _log
                .Collector.GetSnapshot()
                .Select(line => line.Message)
                .Where(line =>
                    line.Contains("API key", StringComparison.OrdinalIgnoreCase)
                    || line.Contains("authenticated", StringComparison.OrdinalIgnoreCase)
                ),
        ];

    private Task<TestFarm> FarmAsync(params string[] settings) =>
        TestFarm.StartAsync(
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_clock);
                builder.Logging.AddProvider(_log);
            },
            ["--Keys:WrongKeysPerMinute=3", "--Logging:LogLevel:Default=Information", .. settings]
        );

    private static string Wrong(int number) => $"rf_{number:x64}";

    private static async Task<HttpStatusCode> StatusAsync(TestFarm farm, string? key, string? forwardedFor = null)
    {
        using var reply = await SendAsync(farm, key, forwardedFor);
        return reply.StatusCode;
    }

    private static async Task<HttpResponseMessage> SendAsync(TestFarm farm, string? key, string? forwardedFor = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/videos");
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        if (forwardedFor is not null)
        {
            request.Headers.Add("X-Forwarded-For", forwardedFor);
        }

        using var nobody = farm.ClientWith(null);
        return await nobody.SendAsync(request);
    }
}
