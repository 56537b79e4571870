using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RenderFarm.Api.Outbound;

namespace RenderFarm.Api.Tests.Outbound;

/// <summary>What users name is reached on the internet, or not at all.</summary>
public sealed class OutboundGuardTests
{
    private static readonly OutboundGuard Closed = new(new OutboundOptions(), (_, _) => Task.FromResult<IPAddress[]>([]));

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://2130706433/")] // Decimal
    [InlineData("http://0x7f000001/")] // Hexadecimal
    [InlineData("http://0177.0.0.1/")] // Octal
    [InlineData("http://127.1/")] // Short
    [InlineData("http://0/")]
    [InlineData("http://10.1.2.3/")]
    [InlineData("http://100.64.0.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://172.31.255.255/")]
    [InlineData("http://192.168.1.1:8080/")]
    [InlineData("http://224.0.0.1/")]
    [InlineData("http://255.255.255.255/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://[::127.0.0.1]/")]
    [InlineData("http://[64:ff9b::10.0.0.1]/")]
    [InlineData("http://[2002:7f00:1::]/")] // 6to4 of 127.0.0.1
    [InlineData("http://[2001:0:7f00:1::]/")] // Teredo
    [InlineData("http://[fe80::1]/")]
    [InlineData("http://[fc00::1]/")]
    [InlineData("http://[fd12:3456::1]/")]
    [InlineData("http://[ff02::1]/")]
    public void FaultOf_APrivateAddressInAnySpelling_IsNamed(string url) =>
        Assert.Contains("not a public address", Closed.FaultOf(url), StringComparison.Ordinal);

    [Theory]
    [InlineData("ftp://example.org/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://127.0.0.1:25/")]
    [InlineData("//example.org/")]
    [InlineData("http://")]
    [InlineData("http://example.org/\r\nX-Header: 1")]
    [InlineData("http://user:password@example.org/")]
    public void FaultOf_WhatIsNoPlainWebAddress_IsRefused(string url) => Assert.NotNull(Closed.FaultOf(url));

    [Theory]
    [InlineData("https://example.org/a.png?x=1")]
    [InlineData("http://93.184.215.14/")]
    [InlineData("http://[2606:2800:220:1::1]/")]
    [InlineData("http://[::ffff:93.184.215.14]/")]
    public void FaultOf_APublicAddress_IsNull(string url) => Assert.Null(Closed.FaultOf(url));

    [Fact]
    public void FaultOf_ANetworkThatTheOperatorAllows_IsNull()
    {
        var guard = new OutboundGuard(new OutboundOptions { AllowedNetworks = ["10.20.0.0/16"] }, Dns.GetHostAddressesAsync);

        Assert.Null(guard.FaultOf("http://10.20.3.4/"));
        Assert.Null(guard.FaultOf("http://[::ffff:10.20.3.4]/"));
        Assert.NotNull(guard.FaultOf("http://10.21.3.4/"));
    }

    [Fact]
    public async Task Handler_ANameThatResolvesToAPrivateAddress_IsNeverConnectedTo()
    {
        await using var inside = Listener.Start(IPAddress.Loopback);
        using var http = ClientOf(new OutboundOptions(), _ => [IPAddress.Loopback]);

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync($"http://innocent.example:{inside.Port}/"));

        Assert.Equal("innocent.example does not lead to a public address", refused.InnerException!.Message);
        Assert.Equal(0, inside.Connections);
    }

    /// <summary>Told apart, the two would say which names there are inside.</summary>
    [Fact]
    public async Task Handler_ANameThatNobodyHas_IsRefusedInTheSameWords()
    {
        using var http = ClientOf(
            new OutboundOptions(),
            _ => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound)
        );

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync("http://innocent.example/"));

        Assert.Equal("innocent.example does not lead to a public address", refused.InnerException!.Message);
    }

    [Fact]
    public async Task Handler_ANameWithOnePrivateAddressAmongPublicOnes_IsRefused()
    {
        using var http = ClientOf(new OutboundOptions(), _ => [IPAddress.Parse("93.184.215.14"), IPAddress.IPv6Loopback]);

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync("http://mixed.example/"));

        Assert.IsType<OutboundRefusedException>(refused.InnerException);
    }

    [Fact]
    public async Task Handler_ANameThatIsRebound_GetsNoSecondConnection()
    {
        // 127.0.0.2 plays the internet; the name's second answer is what an attacker wants reached.
        await using var outside = Listener.Start(IPAddress.Parse("127.0.0.2"));
        var answers = new Queue<IPAddress>([IPAddress.Parse("127.0.0.2"), IPAddress.Loopback]);
        using var http = ClientOf(new OutboundOptions { AllowedNetworks = ["127.0.0.2/32"] }, _ => [answers.Dequeue()]);

        Assert.Equal("hello", await http.GetStringAsync($"http://rebound.example:{outside.Port}/"));
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync($"http://rebound.example:{outside.Port}/"));

        Assert.IsType<OutboundRefusedException>(refused.InnerException);
        Assert.Equal(1, outside.Connections);
    }

    [Fact]
    public async Task Handler_ARedirect_IsHandedBackUnfollowed()
    {
        await using var outside = Listener.Start(
            IPAddress.Parse("127.0.0.2"),
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        using var http = ClientOf(new OutboundOptions { AllowedNetworks = ["127.0.0.2/32"] }, _ => [IPAddress.Parse("127.0.0.2")]);

        Assert.Equal(HttpStatusCode.Found, (await http.GetAsync($"http://a.example:{outside.Port}/")).StatusCode);
    }

    private static HttpClient ClientOf(OutboundOptions options, Func<string, IPAddress[]> resolve) =>
        new(new OutboundGuard(options, (name, _) => Task.FromResult(resolve(name))).CreateHandler());

    /// <summary>Answers each connection with the same bytes and closes it.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly TcpListener _socket;
        private readonly Task _serving;
        private readonly ConcurrentBag<int> _seen = [];

        private Listener(IPAddress address, string answer)
        {
            _socket = new TcpListener(address, 0);
            _socket.Start();
            _serving = ServeAsync(answer);
        }

        public int Port => ((IPEndPoint)_socket.LocalEndpoint).Port;
        public int Connections => _seen.Count;

        public static Listener Start(
            IPAddress address,
            string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        ) => new(address, answer);

        public async ValueTask DisposeAsync()
        {
            _socket.Stop();
            await _serving;
        }

        private async Task ServeAsync(string answer)
        {
            try
            {
                while (true)
                {
                    using var connection = await _socket.AcceptTcpClientAsync();
                    _seen.Add(1);
                    var stream = connection.GetStream();
                    _ = await stream.ReadAsync(new byte[4096]);
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Stopped.
            }
        }
    }
}
