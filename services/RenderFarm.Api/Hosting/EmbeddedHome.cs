using Microsoft.Extensions.Configuration.Memory;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// What the embedded farm uses where nothing is set: files under <c>RENDERFARM_HOME</c> (default <c>~/.renderfarm</c>).
/// Lowest in rank, and only for the embedded kinds: a farm on PostgreSQL and S3 must name its own.
/// </summary>
internal static class EmbeddedHome
{
    public static void AddEmbeddedDefaults(this ConfigurationManager configuration)
    {
        var home = FarmHome.Of(configuration[FarmHome.Variable]);
        configuration.AddFarmHome(home);
        var defaults = new Dictionary<string, string?>
        {
            // A line for each request and each statement is for those who ask for it.
            ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
            ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Warning",
            // Whoever asks for the health is told; what stands behind it has its own line.
            ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "None",
        };
        if (configuration["Store:Kind"].IsOrUnset(StoreKind.Sqlite))
        {
            defaults["Store:ConnectionString"] = DatabaseIn(home);
        }

        if (configuration["Artifacts:Kind"].IsOrUnset(ArtifactsKind.Directory))
        {
            defaults["Artifacts:Directory"] = home.Artifacts;
        }

        ((IConfigurationBuilder)configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
    }

    /// <summary>For the database of those defaults; the other files' owners make their folders themselves.</summary>
    public static void MakeHome(this IConfiguration configuration)
    {
        var home = FarmHome.Of(configuration[FarmHome.Variable]);
        if (configuration["Store:ConnectionString"] == DatabaseIn(home))
        {
            Directory.CreateDirectory(home.Root);
        }
    }

    private static string DatabaseIn(FarmHome home) => $"Data Source={home.Database}";
}
