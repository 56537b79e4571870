using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Cli.Farm;

/// <summary>Ports on the loopback address.</summary>
internal static class LocalPorts
{
    public static int Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public static int FreeOr(int preferred) => IsFree(preferred) ? preferred : Free();
}
