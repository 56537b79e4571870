using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Api.Keys;

/// <summary>Settings under <c>Keys:</c>.</summary>
internal sealed class KeysOptions
{
    public const string Section = "Keys";

    /// <summary>JSON with the first admin and worker key; written (mode 600) when missing. Empty: keys come from elsewhere.</summary>
    public string BootstrapFile { get; set; } = "";

    /// <summary>HTTP requests a minute of a key that has no limit of its own and is neither an operator's nor a worker's; 0 is no
    /// limit.</summary>
    [Range(0, 1_000_000_000, ErrorMessage = "Keys:RequestsPerMinute must be 0 (no limit) or more.")]
    public int RequestsPerMinute { get; set; } = 6_000;
}
