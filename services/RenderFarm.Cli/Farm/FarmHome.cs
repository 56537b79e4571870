namespace RenderFarm.Cli.Farm;

/// <summary>The folder in which an embedded farm keeps everything it has.</summary>
internal sealed record FarmHome(string Root)
{
    public const string Variable = "RENDERFARM_HOME";

    public string Database => Path.Combine(Root, "farm.db");
    public string Artifacts => Path.Combine(Root, "artifacts");
    public string Models => Path.Combine(Root, "models");
    public string Worker => Path.Combine(Root, "worker");
    public string Keys => Path.Combine(Root, "keys.json");
    public string Logs => Path.Combine(Root, "logs");

    /// <summary><c>RENDERFARM_HOME</c>, else <c>~/.renderfarm</c>.</summary>
    public static FarmHome FromEnvironment()
    {
        var home = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrWhiteSpace(home))
        {
            home = Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify),
                ".renderfarm"
            );
        }

        return new FarmHome(Path.GetFullPath(home));
    }

    public FarmHome Create()
    {
        try
        {
            foreach (var folder in new[] { Root, Artifacts, Models, Worker, Logs })
            {
                Directory.CreateDirectory(folder);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(Root, error);
        }
        return this;
    }

    /// <param name="what">The folder that was to be written.</param>
    public static FarmException NotWritable(string what, Exception error) =>
        new(
            "home_not_writable",
            $"can't keep the farm's data in {what}: {error.Message} Name a folder that can be written in {Variable}",
            error
        );
}
