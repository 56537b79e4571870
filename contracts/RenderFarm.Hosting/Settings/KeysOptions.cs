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
    /// A file that both API and worker reach, as containers of one machine do. The API keeps a good invitation in it (mode 600), and a
    /// worker that has neither a key nor joined a farm joins by it: so it needs no other secret. Empty: none.
    /// </summary>
    public string InvitationFile { get; set; } = "";

    /// <summary>
    /// HTTP requests a minute of a key that has no limit of its own and is neither an operator's nor a worker's; 0 is no limit.
    /// </summary>
    [Between(0, 1_000_000_000, Or = "0 is no limit")]
    public int RequestsPerMinute { get; set; } = 6_000;

    /// <summary>
    /// Wrong keys a minute from one address; beyond them keys that the API process has not seen lately are answered 429 there. 0 is no
    /// limit.
    /// </summary>
    [Between(0, 1_000_000, Or = "0 is no limit")]
    public int WrongKeysPerMinute { get; set; } = 60;

    /// <summary>Event streams that one key may hold open at an API process.</summary>
    [Between(1, 100_000)]
    public int StreamsAtOnce { get; set; } = 32;
}

[OptionsValidator]
public sealed partial class KeysOptionsValidator : IValidateOptions<KeysOptions>;
