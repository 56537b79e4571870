using System.Net;
using System.Net.Sockets;
using RenderFarm.Chaos.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Tests.Farm;

public sealed class TcpProxyTests : IDisposable
{
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private readonly TcpProxy _proxy;

    public TcpProxyTests()
    {
        _server.Start();
        _proxy = new TcpProxy(((IPEndPoint)_server.LocalEndpoint).Port);
    }

    [Fact]
    public async Task Carry_BytesBothWays_Arrive()
    {
        using var pair = await ConnectAsync();

        await pair.Client.SendAsync("ping"u8.ToArray(), Cancellation);
        Assert.Equal("ping", await pair.Server.ReceiveTextAsync());
        await pair.Server.SendAsync("pong"u8.ToArray(), Cancellation);
        Assert.Equal("pong", await pair.Client.ReceiveTextAsync());
    }

    [Fact]
    public async Task Drop_OpenConnection_IsResetOnBothSides()
    {
        using var pair = await ConnectAsync();

        Assert.Equal(1, _proxy.Drop());

        foreach (var end in new[] { pair.Client, pair.Server })
        {
            var fault = await Assert.ThrowsAsync<SocketException>(() => end.ReceiveAsync(new byte[1], Cancellation).AsTask());
            Assert.Equal(SocketError.ConnectionReset, fault.SocketErrorCode);
        }
    }

    [Fact]
    public async Task HalfOpen_OpenConnection_CarriesNothingWhileANewOneWorks()
    {
        using var old = await ConnectAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var silence = _proxy.HalfOpenAsync(TimeSpan.FromMinutes(5), stop.Token);

        await old.Client.SendAsync("lost"u8.ToArray(), Cancellation);
        using var fresh = await ConnectAsync();
        await fresh.Client.SendAsync("ping"u8.ToArray(), Cancellation);

        Assert.Equal("ping", await fresh.Server.ReceiveTextAsync());
        Assert.Equal(0, old.Server.Available);
        Assert.True(old.Client.Connected);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => silence);
    }

    [Fact]
    public async Task HalfOpen_TimeIsOver_ResetsWhatWasSilent()
    {
        using var pair = await ConnectAsync();

        Assert.Equal(1, await _proxy.HalfOpenAsync(TimeSpan.FromMilliseconds(50), Cancellation));

        await Assert.ThrowsAsync<SocketException>(() => pair.Client.ReceiveAsync(new byte[1], Cancellation).AsTask());
    }

    [Fact]
    public async Task Connect_FirstServerIsGone_TakesTheOther()
    {
        using var gone = new TcpListener(IPAddress.Loopback, 0);
        gone.Start();
        var dead = ((IPEndPoint)gone.LocalEndpoint).Port;
        gone.Stop();
        using var two = new TcpProxy(dead, ((IPEndPoint)_server.LocalEndpoint).Port);

        for (var i = 0; i < 4; i++)
        {
            using var pair = await ConnectAsync(two);
            await pair.Client.SendAsync("ping"u8.ToArray(), Cancellation);
            Assert.Equal("ping", await pair.Server.ReceiveTextAsync());
        }
    }

    public void Dispose()
    {
        _proxy.Dispose();
        _server.Dispose();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<Pair> ConnectAsync(TcpProxy? through = null)
    {
        var (client, proxy) = (new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), through ?? _proxy);
        var before = proxy.Open;
        await client.ConnectAsync(IPAddress.Loopback, proxy.Port, Cancellation);
        var pair = new Pair(client, await _server.AcceptSocketAsync(Cancellation));
        // On a proxy that is new and empty: a connection counts once both its halves are there
        await Eventually.TrueAsync(
            () => Task.FromResult(proxy.Open > before || through is not null),
            TimeSpan.FromSeconds(10),
            "the proxy to carry the connection",
            Cancellation
        );
        return pair;
    }

    private sealed record Pair(Socket Client, Socket Server) : IDisposable
    {
        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}

internal static class SocketText
{
    public static async Task<string> ReceiveTextAsync(this Socket socket)
    {
        var buffer = new byte[64];
        var read = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }
}
