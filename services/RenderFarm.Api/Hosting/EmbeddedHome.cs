using Microsoft.Extensions.Configuration.Memory;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// What the embedded farm uses where nothing is set: files under <c>RENDERFARM_HOME</c> (default <c>~/.renderfarm</c>).
/// Lowest in rank, and only for the embedded kinds: a farm on PostgreSQL and S3 must name its own.
/// </summary>
public static class EmbeddedHome
{
    public static void AddEmbeddedDefaults(this ConfigurationManager configuration)
    {
        var home = Folder(configuration);
        var defaults = new Dictionary<string, string?> { ["Keys:BootstrapFile"] = Path.Combine(home, "keys.json") };
        if (configuration["Store:Kind"] is null or "" or "sqlite")
        {
            defaults["Store:ConnectionString"] = $"Data Source={Path.Combine(home, "farm.db")}";
        }

        if (configuration["Artifacts:Kind"] is null or "" or "directory")
        {
            defaults["Artifacts:Directory"] = Path.Combine(home, "artifacts");
        }

        ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
        if (defaults.Any(setting => setting.Key != "Artifacts:Directory" && configuration[setting.Key] == setting.Value))
        {
            Directory.CreateDirectory(home);
        }
    }

    private static string Folder(IConfiguration configuration) =>
        configuration["RENDERFARM_HOME"] is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".renderfarm");
}
