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

    /// <summary>What an API is told: where everything is, with all the keys.</summary>
    public Dictionary<string, string> ApiSettings(string home)
    {
        var settings = new Dictionary<string, string>(WorkerSettings(home))
        {
            ["Store__Kind"] = Postgres is null ? "sqlite" : "postgres",
            ["Store__ConnectionString"] = Postgres ?? $"Data Source={Path.Combine(home, "farm.db")}",
            ["Artifacts__Kind"] = S3 is null ? "directory" : "s3",
            ["Artifacts__Directory"] = Path.Combine(home, "artifacts"),
        };
        if (S3 is not null)
        {
            settings["Artifacts__Endpoint"] = $"http://{S3.Host}:{S3.Port}";
            settings["Artifacts__AccessKey"] = S3.UserInfo.Split(':')[0];
            settings["Artifacts__SecretKey"] = S3.UserInfo.Split(':')[1];
            settings.TryAdd("Artifacts__Bucket", $"farm-{Guid.NewGuid():N}");
        }

        return settings;
    }

    /// <summary>What a worker is told: neither where the database is nor where the files are.</summary>
    public Dictionary<string, string> WorkerSettings(string home)
    {
        var settings = new Dictionary<string, string>
        {
            ["RENDERFARM_HOME"] = home,
            ["Keys__BootstrapFile"] = Path.Combine(home, "keys.json"),
            ["Bus__Kind"] = Broker is null ? "none" : "rabbitmq",
            ["Videos__DefaultModel"] = "tiny",
        };
        if (Broker is not null)
        {
            settings["Bus__Uri"] = Broker.ToString();
        }

        foreach (var (key, value) in More)
        {
            settings[key] = value;
        }

        return settings;
    }
}
