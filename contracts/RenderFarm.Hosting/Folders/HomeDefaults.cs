using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Hosting.Folders;

/// <summary>Where the settings name no place, things are in the farm's home.</summary>
public static class HomeDefaults
{
    /// <summary>Lowest in rank: whatever else names a place wins. A farm on S3 names its own.</summary>
    public static void AddFarmHome(this IConfigurationManager configuration, FarmHome home)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(home);
        var defaults = new Dictionary<string, string?> { ["Keys:BootstrapFile"] = home.Keys };
        if (configuration["Artifacts:Kind"].IsOrUnset(ArtifactsKind.Directory))
        {
            defaults["Artifacts:Directory"] = home.Artifacts;
        }

        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
    }
}
