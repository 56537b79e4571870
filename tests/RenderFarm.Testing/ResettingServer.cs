using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Testing;

/// <summary>
/// Accepts every connection and resets it at once, as a proxy does whose server is gone. HTTP clients meet that in several
/// guises, a bare <see cref="SocketException"/> among them.
/// </summary>
public sealed class ResettingServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ResettingServer()
    {
        _listener.Start();
        Address = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _ = ResetAsync();
    }

    public string Address { get; }

    public void Dispose() => _listener.Dispose();

    private async Task ResetAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptSocketAsync();
                client.Close(0);
            }
        }
        catch (Exception disposed) when (disposed is SocketException or ObjectDisposedException)
        {
            // Nobody is to be reset any more
        }
    }
}
