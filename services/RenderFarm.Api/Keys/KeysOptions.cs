namespace RenderFarm.Api.Keys;

/// <summary>Settings under <c>Keys:</c>.</summary>
public sealed class KeysOptions
{
    public const string Section = "Keys";

    /// <summary>JSON with the first admin and worker key; written (mode 600) when missing. Empty: keys come from elsewhere.</summary>
    public string BootstrapFile { get; set; } = "";
}
