using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace RenderFarm.Api.Outbound;

/// <summary>
/// Connects to what users name, and only to the internet. The address is looked up once for each connection, judged,
/// and is the one connected to: a name that answers differently a moment later gains nothing. Redirects, proxies and
/// cookies are off: whoever follows a redirect asks again here.
/// </summary>
internal sealed class OutboundGuard
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private readonly IReadOnlyList<IPNetwork> _allowed;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    public OutboundGuard(IOptions<OutboundOptions> options)
        : this(options.Value, Dns.GetHostAddressesAsync) { }

    /// <param name="resolve">A name to its addresses.</param>
    public OutboundGuard(OutboundOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve) =>
        (_allowed, _resolve) = (options.Networks, resolve);

    public bool Allows(IPAddress address) =>
        PublicAddress.Is(address)
        || _allowed.Any(network => network.Contains(PublicAddress.Unwrapped(address)) || network.Contains(address));

    /// <summary>
    /// What can be said of an address without a look-up: http or https, no user name, and no private address in any
    /// spelling (decimal, octal, hexadecimal and IPv6 forms come out of the parser as what they are).
    /// </summary>
    /// <returns>Null, or what is wrong with it, as the end of a sentence about it.</returns>
    public string? FaultOf(string text)
    {
        if (
            text.Any(char.IsControl)
            || !Uri.TryCreate(text, UriKind.Absolute, out var url)
            || url.Scheme is not ("http" or "https")
            || url.IdnHost.Length == 0
        )
        {
            return "must be an absolute http or https URL";
        }

        if (url.UserInfo.Length > 0)
        {
            return "must not carry a user name or password";
        }

        return IPAddress.TryParse(url.IdnHost, out var literal) && !Allows(literal)
            ? $"leads to {literal}, which is not a public address"
            : null;
    }

    /// <summary>
    /// A handler whose every connection is judged. Requests through it that are refused throw <see cref="HttpRequestException"/>
    /// around <see cref="OutboundRefusedException"/>.
    /// </summary>
    public SocketsHttpHandler CreateHandler() =>
        new()
        {
            ConnectCallback = ConnectAsync,
            ConnectTimeout = ConnectTimeout,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = 32,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await AddressesAsync(host, cancellationToken);
        if (addresses.Length == 0 || addresses.Any(address => !Allows(address)))
        {
            throw new OutboundRefusedException(host);
        }

        // One family at a time: a socket of both would turn the judged address into another form.
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    private async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return [literal];
        }

        try
        {
            return await _resolve(host, cancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return [];
        }
    }
}

/// <summary>
/// The host is, or resolves to, an address that users may not reach through the farm; or it resolves to none. One and the same for
/// both: who is told which names there are inside, and where they lead, reads the network's map.
/// </summary>
internal sealed class OutboundRefusedException(string host)
    : IOException(
        IPAddress.TryParse(host, out _) ? $"{host} is not a public address" : $"{host} does not lead to a public address"
    );
