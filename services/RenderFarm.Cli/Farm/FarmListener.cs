using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RenderFarm.Cli.Farm;

/// <summary>Where a farm on this machine listens, and how others and this machine itself find it.</summary>
/// <param name="Url">For the API: where it listens.</param>
/// <param name="OwnUrl">For whoever is on this machine.</param>
/// <param name="PublicUrl">For other machines; null where there is no way for them.</param>
/// <param name="Tls">Null: plain HTTP.</param>
internal sealed record FarmListener(string Url, string OwnUrl, string? PublicUrl, TlsFiles? Tls)
{
    private const string Loopback = "127.0.0.1";

    /// <summary>Others can come in, and what they send can be read on its way.</summary>
    public bool IsPlainAndOpen => PublicUrl is not null && Tls is null;

    /// <summary>By the port on this machine.</summary>
    public int Port => new Uri(OwnUrl).Port;

    /// <summary>For this machine alone.</summary>
    public static FarmListener OnLoopback(int port, TlsFiles? tls = null) =>
        new(Address(tls, Loopback, port), Address(tls, Loopback, port), null, tls);

    /// <param name="listen"><c>0.0.0.0:8080</c>, an address of this machine, or its name; null is loopback.</param>
    /// <param name="port">Where <paramref name="listen"/> names none.</param>
    /// <param name="tls">Null: plain HTTP.</param>
    /// <param name="wanted">Somebody asked for that port, and it is not only the default.</param>
    /// <exception cref="FarmException">It is no address, or names another port than the one that is wanted.</exception>
    public static FarmListener Of(string? listen, int port, TlsFiles? tls, bool wanted = false)
    {
        if (listen is null)
        {
            return OnLoopback(port, tls);
        }

        if (
            !Uri.TryCreate($"tcp://{listen}", UriKind.Absolute, out var uri)
            || uri.PathAndQuery is not ("/" or "")
            || uri.Host.Length == 0
            || uri.Port == 0
        )
        {
            throw new FarmException(
                "invalid_option",
                $"--listen is '{listen}': it must be an address and a port, such as 0.0.0.0:8080, or this machine's name and a port"
            );
        }

        if (wanted && uri.Port > 0 && uri.Port != port)
        {
            throw new FarmException("invalid_option", $"--listen names port {uri.Port} and --port {port}: leave one of them out");
        }

        port = uri.Port > 0 ? uri.Port : port;
        if (!IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address))
        {
            // The server knows no names but this one: by any other it is found at all its addresses.
            return uri.Host == "localhost"
                ? OnLoopback(port, tls)
                : new FarmListener(Address(tls, "*", port), Address(tls, Loopback, port), Address(tls, uri.Host, port), tls);
        }

        var own = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) ? Loopback : uri.Host;
        return new FarmListener(
            Address(tls, uri.Host, port),
            Address(tls, own, port),
            IPAddress.IsLoopback(address) ? null
                : own == uri.Host ? Address(tls, own, port)
                : Address(tls, ThisMachine(), port),
            tls
        );
    }

    private static string Address(TlsFiles? tls, string host, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"{(tls is null ? "http" : "https")}://{host}:{port}");

    /// <summary>The address from which packets leave this machine; its name where none do. Nothing is sent.</summary>
    private static string ThisMachine()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            // TEST-NET-1: nobody's, and outside of every network that this machine is in
            socket.Connect(new IPEndPoint(new IPAddress([192, 0, 2, 1]), 9));
            return ((IPEndPoint)socket.LocalEndPoint!).Address.ToString();
        }
        catch (SocketException)
        {
            return Dns.GetHostName();
        }
    }
}
