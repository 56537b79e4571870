using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Api.Tests.Clients;

/// <summary>A port in front of the farm that loses the first answer: the request gets through, and when its answer comes, the connection is cut.</summary>
internal sealed class AnswerCutter : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly Uri farm;
    private int cut;

    public AnswerCutter(Uri farm)
    {
        this.farm = farm;
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    public bool HasCut => Volatile.Read(ref cut) > 0;

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = CarryAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // the test is over
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(farm.Host, farm.Port);
                await using NetworkStream near = client.GetStream(),
                    far = server.GetStream();
                var up = near.CopyToAsync(far);
                var buffer = new byte[1 << 16];
                while (await far.ReadAsync(buffer) is > 0 and var read)
                {
                    if (Interlocked.Exchange(ref cut, 1) == 0)
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
                // one side has gone; closing tells the other
            }
        }
    }
}
