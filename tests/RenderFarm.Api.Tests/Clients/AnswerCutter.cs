using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Api.Tests.Clients;

/// <summary>
/// A port in front of the farm that loses the first answer: the request gets through, and when its answer comes, the connection
/// is cut.
/// </summary>
internal sealed class AnswerCutter : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _farm;
    private int _cut;

    public AnswerCutter(Uri farm)
    {
        _farm = farm;
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
    public bool HasCut => Volatile.Read(ref _cut) > 0;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = CarryAsync(await _listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(_farm.Host, _farm.Port);
                await using NetworkStream near = client.GetStream(),
                    far = server.GetStream();
                var up = near.CopyToAsync(far);
                var buffer = new byte[1 << 16];
                while (await far.ReadAsync(buffer) is > 0 and var read)
                {
                    if (Interlocked.Exchange(ref _cut, 1) == 0)
                    {
                        client.Client.LingerState = new LingerOption(true, 0);
                        return;
                    }

                    await near.WriteAsync(buffer.AsMemory(0, read));
                }

                await up;
            }
            catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
            {
                // One side has gone; closing tells the other
            }
        }
    }
}
