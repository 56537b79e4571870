using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration.Memory;

namespace RenderFarm.Api.Hosting;

internal static class TlsRegistration
{
    /// <summary>
    /// The certificate becomes the server's default one by the server's own settings, whose loader sends the chain along and looks for
    /// renewed files.
    /// </summary>
    public static void AddTls(this WebApplicationBuilder builder, ApiTls tls)
    {
        FarmAddress.RequireReadable(tls);
        if (tls.Certificate.Length > 0)
        {
            ((IConfigurationBuilder)builder.Configuration).Add(
                new MemoryConfigurationSource
                {
                    InitialData = new Dictionary<string, string?>
                    {
                        ["Kestrel:Certificates:Default:Path"] = Path.GetFullPath(tls.Certificate),
                        ["Kestrel:Certificates:Default:KeyPath"] = Path.GetFullPath(tls.Key),
                    },
                }
            );
        }
    }

    /// <summary>
    /// TLS where an address asks for it, before anything that reads or writes what is inside. The server would add it last, and whatever
    /// stands in a connection's way by then would see what is encrypted.
    /// </summary>
    /// <param name="urls">All that are listened at.</param>
    public static void UseTlsOf(this ListenOptions listen, IReadOnlyList<string> urls)
    {
        var isOpen = urls.Select(BindingAddress.Parse).ToLookup(address => address.Scheme == Uri.UriSchemeHttp, address => address.Port);
        if (listen.EndPoint is IPEndPoint { Port: var port } && isOpen[false].Contains(port) && !isOpen[true].Contains(port))
        {
            listen.UseHttps();
        }
    }
}
