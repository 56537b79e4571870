namespace RenderFarm.Testing.Farms;

/// <summary>What a farm under test stands on. Without any server it is the embedded farm.</summary>
public sealed record FarmSetup
{
    /// <summary>Npgsql connection string; null for SQLite.</summary>
    public string? Postgres { get; init; }

    /// <summary>Null for no broker.</summary>
    public Uri? Broker { get; init; }

    /// <summary><c>http://accesskey:secret@host:port</c>; null for a folder.</summary>
    public Uri? S3 { get; init; }

    /// <summary>More settings for both programs, such as <c>Worker__FfmpegPath</c>.</summary>
    public IReadOnlyDictionary<string, string> More { get; init; } = new Dictionary<string, string>();

    public Dictionary<string, string> Settings(string home)
    {
        var settings = new Dictionary<string, string>
        {
            ["RENDERFARM_HOME"] = home,
            ["Keys__BootstrapFile"] = Path.Combine(home, "keys.json"),
            ["Store__Kind"] = Postgres is null ? "sqlite" : "postgres",
            ["Store__ConnectionString"] = Postgres ?? $"Data Source={Path.Combine(home, "farm.db")}",
            ["Bus__Kind"] = Broker is null ? "none" : "rabbitmq",
            ["Artifacts__Kind"] = S3 is null ? "directory" : "s3",
            ["Artifacts__Directory"] = Path.Combine(home, "artifacts"),
            ["Videos__DefaultModel"] = "tiny",
        };
        if (Broker is not null)
        {
            settings["Bus__Uri"] = Broker.ToString();
        }

        if (S3 is not null)
        {
            settings["Artifacts__Endpoint"] = $"http://{S3.Host}:{S3.Port}";
            settings["Artifacts__AccessKey"] = S3.UserInfo.Split(':')[0];
            settings["Artifacts__SecretKey"] = S3.UserInfo.Split(':')[1];
            settings["Artifacts__Bucket"] = $"farm-{Guid.NewGuid():N}";
        }
        foreach (var (key, value) in More)
        {
            settings[key] = value;
        }

        return settings;
    }
}
