using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Testing;

/// <summary>
/// A port in front of a server. <see cref="Cut"/> breaks every connection and refuses new ones, as if the server had
/// died; <see cref="Stall"/> leaves them open and lets nothing through, as if it had frozen; <see cref="Restore"/> brings it
/// back. The server itself goes on serving other tests.
/// </summary>
public sealed class CuttableProxy : IDisposable
{
    private readonly string _host;
    private readonly int _port;
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private TcpListener? _listener;
    private volatile TaskCompletionSource _flow = Flowing();
    private Limit? _limit;
    private long _sent;

    public CuttableProxy(string host, int port)
    {
        (_host, _port) = (host, port);
        Restore();
    }

    public int Port { get; private set; }

    /// <summary>The same address, through this proxy.</summary>
    public Uri Through(Uri address) => new UriBuilder(address) { Host = "127.0.0.1", Port = Port }.Uri;

    /// <summary>Bytes that were carried towards the server so far.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Cuts by itself, once, when so many more bytes were carried towards the server.</summary>
    /// <returns>Completes when it has.</returns>
    public Task CutAfterAsync(long bytes)
    {
        var limit = new Limit(Sent + bytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Volatile.Write(ref _limit, limit);
        return limit.Reached.Task;
    }

    public void Cut()
    {
        _listener?.Dispose();
        _listener = null;
        foreach (var socket in _open.Keys)
        {
            socket.Dispose();
        }
    }

    public void Stall() => _flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Restore()
    {
        _flow.TrySetResult();
        if (_listener is not null)
        {
            return;
        }

        var listener = new TcpListener(IPAddress.Loopback, Port);
        // The port lingers after a cut; it must come back as the same one.
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _listener = listener;
        _ = AcceptAsync(listener);
    }

    public void Dispose()
    {
        Cut();
        _flow.TrySetResult();
    }

    private static TaskCompletionSource Flowing()
    {
        var flow = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        flow.SetResult();
        return flow;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                _ = CarryAsync(await listener.AcceptSocketAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _open[client] = _open[server] = 0;
        try
        {
            await server.ConnectAsync(_host, _port);
            await using NetworkStream near = new(client),
                far = new(server);
            await Task.WhenAny(CopyAsync(near, far, Count), CopyAsync(far, near, _ => { }));
        }
        catch (Exception error) when (error is SocketException or IOException or ObjectDisposedException)
        {
            // Cut, or one side went away: the other is told by the closing below.
        }
        finally
        {
            client.Dispose();
            _open.TryRemove(client, out _);
            _open.TryRemove(server, out _);
        }
    }

    private void Count(int length)
    {
        if (Interlocked.Add(ref _sent, length) >= Volatile.Read(ref _limit)?.At && Interlocked.Exchange(ref _limit, null) is { } limit)
        {
            Cut();
            limit.Reached.SetResult();
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, Action<int> count)
    {
        var buffer = new byte[16 << 10];
        while (await from.ReadAsync(buffer) is > 0 and var length)
        {
            await _flow.Task;
            await to.WriteAsync(buffer.AsMemory(0, length));
            count(length);
        }
    }

    private sealed record Limit(long At, TaskCompletionSource Reached);
}
