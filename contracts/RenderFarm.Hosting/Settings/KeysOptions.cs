using Microsoft.Extensions.Options;

namespace RenderFarm.Hosting.Settings;

/// <summary>Settings under <c>Keys:</c>.</summary>
public sealed class KeysOptions : ISettings
{
    public static string Section => "Keys";

    /// <summary>
    /// JSON with the farm's first admin and worker key. The API writes it (mode 600) when it is missing; a worker without
    /// <c>Worker:ApiKey</c> reads <c>worker_key</c> there. Empty: keys come from elsewhere.
    /// </summary>
    public string BootstrapFile { get; set; } = "";

    /// <summary>
    /// HTTP requests a minute of a key that has no limit of its own and is neither an operator's nor a worker's; 0 is no limit.
    /// </summary>
    [Between(0, 1_000_000_000, Or = "0 is no limit")]
    public int RequestsPerMinute { get; set; } = 6_000;
}

[OptionsValidator]
public sealed partial class KeysOptionsValidator : IValidateOptions<KeysOptions>;
