using Microsoft.AspNetCore.HttpOverrides;

namespace RenderFarm.Api.Hosting;

/// <summary>Behind proxies of ours a request comes from whom they say.</summary>
internal static class TrustedProxies
{
    public static void AddTrustedProxies(this IServiceCollection services, ApiOptions api) =>
        services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            if (api.TrustedProxies.Count == 0)
            {
                forwarded.ForwardedHeaders = ForwardedHeaders.None;
                return;
            }

            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            // As many of them as stand one behind the other: the first that is not ours ends the list.
            forwarded.ForwardLimit = null;
            foreach (var network in api.TrustedProxies)
            {
                forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
            }
        });
}
