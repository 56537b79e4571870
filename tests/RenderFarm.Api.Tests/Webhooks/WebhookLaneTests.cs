using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;

namespace RenderFarm.Api.Tests.Webhooks;

/// <summary>Whoever has a webhook that never answers waits for it alone.</summary>
public sealed class WebhookLaneTests
{
    private const int Dead = 300;

    [Fact]
    public async Task Webhook_OfOneKeyBehindManyOfADeadOne_ComesAtOnce()
    {
        await using var farm = await TestFarm.StartAsync("--Outbound:AllowedNetworks:0=127.0.0.0/8");
        await farm.RegisterWorkerAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start(); // Its connections are made by the kernel; nobody ever reads from them
        var dead = new Uri($"http://{silent.LocalEndpoint}/");
        var matrix = new
        {
            @base = new { model = "tiny", webhook_url = dead },
            matrix = new { prompt = Enumerable.Range(0, Dead).Select(i => $"clip {i}") },
        };
        (await farm.User.PostAsJsonAsync("/v1/batches", matrix)).EnsureSuccessStatusCode();
        using var connected = await silent.AcceptTcpClientAsync(); // They are being posted
        var tenant = await farm.NewTenantAsync("submit", "read");

        // The other key, and the same key to another host
        foreach (var client in new[] { tenant, farm.User })
        {
            var clock = Stopwatch.StartNew();
            await farm.SubmitAsync(new { prompt = "a ball", webhook_url = receiver.Address }, client);
            await receiver.NextAsync();
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"took {clock.Elapsed.TotalSeconds:0.0} s");
        }
    }
}
