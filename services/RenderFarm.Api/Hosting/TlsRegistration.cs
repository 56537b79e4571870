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
}
