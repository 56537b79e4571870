namespace RenderFarm.Hosting.Folders;

/// <summary>The folder in which an embedded farm keeps everything it has.</summary>
public sealed record FarmHome(string Root)
{
    public const string Variable = "RENDERFARM_HOME";

    /// <summary>In a worker's data directory: the farm that its host has joined, and its key there.</summary>
    public const string JoinedFileName = "farm.json";

    public string Database => Path.Combine(Root, "farm.db");
    public string Artifacts => Path.Combine(Root, "artifacts");
    public string Models => Path.Combine(Root, "models");
    public string Worker => Path.Combine(Root, "worker");
    public string Keys => Path.Combine(Root, "keys.json");
    public string Logs => Path.Combine(Root, "logs");
    public string Calibration => Path.Combine(Root, "calibration");
    public string Demos => Path.Combine(Root, "demo");

    /// <summary>As the environment of this process names it.</summary>
    public static FarmHome FromEnvironment() => Of(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The named folder, else <c>~/.renderfarm</c>, whether or not it is there.</summary>
    public static FarmHome Of(string? named) =>
        new(
            Path.GetFullPath(
                string.IsNullOrWhiteSpace(named)
                    ? Path.Combine(
                        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
                        ".renderfarm"
                    )
                    : named
            )
        );
}
