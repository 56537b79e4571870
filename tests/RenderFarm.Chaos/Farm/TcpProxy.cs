using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Chaos.Farm;

/// <summary>
/// A link between two parts of the farm: a port in front of one server, or of several that share the work. Its
/// connections can be reset, or left open without carrying anything any more.
/// </summary>
internal sealed class TcpProxy : IDisposable
{
    private readonly IReadOnlyList<int> _servers;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Connection, byte> _open = new();
    private int _next;
    private volatile bool _cut;

    public TcpProxy(params int[] servers)
    {
        _servers = servers;
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }

    public int Open => _open.Count;

    /// <summary>Both ends of every connection get a reset.</summary>
    public int Drop()
    {
        var dropped = 0;
        foreach (var connection in _open.Keys)
        {
            connection.Reset();
            dropped++;
        }
        return dropped;
    }

    /// <summary>What is open now carries nothing for a while, and is reset then. Neither end is told before.</summary>
    public async Task<int> HalfOpenAsync(TimeSpan lasts, CancellationToken cancellationToken)
    {
        var silenced = _open.Keys.ToList();
        foreach (var connection in silenced)
        {
            connection.Silence();
        }

        await Task.Delay(lasts, TimeProvider.System, cancellationToken);
        foreach (var connection in silenced)
        {
            connection.Reset();
        }

        return silenced.Count;
    }

    /// <summary>Nothing is carried any more, over connections that are open or that come; neither end is told.</summary>
    public void Cut()
    {
        _cut = true;
        foreach (var connection in _open.Keys)
        {
            connection.Silence();
        }
    }

    /// <summary>Carries again. What was open while it was cut is reset.</summary>
    public void Mend()
    {
        _cut = false;
        Drop();
    }

    public void Dispose()
    {
        _listener.Dispose();
        Drop();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = CarryAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Disposed
        }
    }

    private async Task CarryAsync(Socket client)
    {
        if (await ConnectAsync() is not { } server)
        {
            client.Close(0); // Nobody is there: a reset, as the server's own host would send
            return;
        }
        using var connection = new Connection(client, server);
        _open[connection] = 0;
        if (_cut)
        {
            connection.Silence();
        }

        try
        {
            await connection.CarryAsync();
        }
        finally
        {
            _open.TryRemove(connection, out _);
        }
    }

    /// <summary>In turn; one that does not answer is passed over.</summary>
    private async Task<Socket?> ConnectAsync()
    {
        var first = Interlocked.Increment(ref _next);
        for (var i = 0; i < _servers.Count; i++)
        {
            var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _servers[(int)((uint)(first + i) % _servers.Count)]);
                return server;
            }
            catch (SocketException)
            {
                server.Dispose();
            }
        }
        return null;
    }

    private sealed class Connection(Socket client, Socket server) : IDisposable
    {
        private readonly CancellationTokenSource _reset = new();
        private volatile bool _silent;

        public void Silence() => _silent = true;

        public void Reset()
        {
            try
            {
                client.LingerState = server.LingerState = new LingerOption(true, 0);
                _reset.Cancel();
            }
            catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
            {
                // It has just closed by itself
            }
        }

        public async Task CarryAsync()
        {
            client.NoDelay = true;
            try
            {
                await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
            }
            finally
            {
                await _reset.CancelAsync();
            }
        }

        /// <summary>
        /// Ends when either side has ended. A silent connection goes on reading, so that no sender's buffer fills up and tells
        /// him.
        /// </summary>
        private async Task PumpAsync(Socket from, Socket to)
        {
            var buffer = new byte[64 * 1024];
            try
            {
                while (true)
                {
                    var read = await from.ReceiveAsync(buffer, SocketFlags.None, _reset.Token);
                    if (_silent)
                    {
                        if (read == 0)
                        {
                            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _reset.Token);
                        }

                        continue;
                    }
                    if (read == 0)
                    {
                        return;
                    }

                    for (var sent = 0; sent < read;)
                    {
                        sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), SocketFlags.None, _reset.Token);
                    }
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // Reset, or one side went away: the other is told by the closing
            }
        }

        public void Dispose()
        {
            client.Dispose();
            server.Dispose();
            _reset.Dispose();
        }
    }
}
