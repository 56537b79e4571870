using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;

namespace RenderFarm.Hosting.Folders;

/// <summary>Where the settings name no place, things are in the farm's home.</summary>
public static class HomeDefaults
{
    /// <summary>Lowest in rank: whatever else names a place wins.</summary>
    public static void AddFarmHome(this IConfigurationManager configuration, FarmHome home)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(home);
        var defaults = new Dictionary<string, string?> { ["Keys:BootstrapFile"] = home.Keys };
        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = defaults });
    }
}
