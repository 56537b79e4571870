using Microsoft.Extensions.Configuration.Memory;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// What the embedded farm uses where nothing is set: files under <c>RENDERFARM_HOME</c> (default <c>~/.renderfarm</c>).
/// Lowest in rank, and only for the embedded kinds: a farm on PostgreSQL and S3 must name its own.
/// </summary>
internal static class EmbeddedHome
{
    public static void AddEmbeddedDefaults(this ConfigurationManager configuration)
    {
        var home = Folder(configuration);
        var defaults = new Dictionary<string, string?>
        {
            ["Keys:BootstrapFile"] = Path.Combine(home, "keys.json"),
            // A line for each request and each statement is for those who ask for it.
            ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
            ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Warning",
            // Whoever asks for the health is told; what stands behind it has its own line.
            ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "None",
        };
        if (configuration["Store:Kind"] is null or "" or "sqlite")
        {
            defaults["Store:ConnectionString"] = $"Data Source={Path.Combine(home, "farm.db")}";
        }

        if (configuration["Artifacts:Kind"] is null or "" or "directory")
        {
            defaults["Artifacts:Directory"] = Path.Combine(home, "artifacts");
        }

        ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
        // The other files' owners make their folders themselves.
        if (defaults.TryGetValue("Store:ConnectionString", out var database) && configuration["Store:ConnectionString"] == database)
        {
            Directory.CreateDirectory(home);
        }
    }

    private static string Folder(IConfiguration configuration) =>
        configuration["RENDERFARM_HOME"] is { Length: > 0 } named
            ? Path.GetFullPath(named)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".renderfarm");
}
