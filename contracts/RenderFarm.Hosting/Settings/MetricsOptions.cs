using Microsoft.Extensions.Options;

namespace RenderFarm.Hosting.Settings;

/// <summary>Settings under <c>Metrics:</c>.</summary>
public sealed class MetricsOptions : ISettings
{
    public static string Section => "Metrics";

    /// <summary>
    /// Where <c>/metrics</c> has a port of its own. Empty (default): the API serves it at <c>Api:Url</c>, a worker (with
    /// <c>/health</c>) at a free port on loopback.
    /// </summary>
    [ListenAddress]
    public string Url { get; set; } = "";

    public int? Port => Url.Length == 0 ? null : new Uri(ListenAddressAttribute.Checkable(Url)).Port;
}

[OptionsValidator]
public sealed partial class MetricsOptionsValidator : IValidateOptions<MetricsOptions>;
