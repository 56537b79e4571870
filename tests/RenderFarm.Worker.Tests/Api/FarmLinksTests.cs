using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Tests.Api;

public sealed class FarmLinksTests
{
    /// <summary>A frozen store takes the connection and says nothing; the attempt must not wait for it for ever.</summary>
    [Fact]
    public async Task Fetch_FromAStoreThatNeverAnswers_EndsAndMayBeTriedAgain()
    {
        using var store = new TcpListener(IPAddress.Loopback, 0);
        store.Start();
        var time = new FakeTimeProvider();
        var options = Options.Create(new WorkerOptions { ApiUrl = "http://127.0.0.1:1", ApiKey = "rf_key" });
        using var api = new FarmApi(options, new WorkerKey(options, Options.Create(new KeysOptions())));
        using var links = new FarmLinks(api, time);
        using var target = new MemoryStream();

        var fetching = links.FetchAsync($"http://{store.LocalEndpoint}/input?signature=s", target, TestContext.Current.CancellationToken);
        using var connection = await store.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        Assert.False(fetching.IsCompleted);
        time.Advance(FarmLinks.Patience);

        var fault = await Assert.ThrowsAsync<FarmApiException>(() => fetching);
        Assert.True(fault.IsTransient);
        Assert.DoesNotContain("signature", fault.Message, StringComparison.Ordinal);
    }
}
