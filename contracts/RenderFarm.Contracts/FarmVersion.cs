using System.Reflection;

namespace RenderFarm.Contracts;

/// <summary>
/// The version this was built as: that of the git tag below it (v1.2.3), and on the way to the next one the commits since
/// (1.2.4-alpha.0.7). A build that had no git says so (0.0.0-unversioned).
/// </summary>
public static class FarmVersion
{
    public static string Full { get; } = Read(typeof(FarmVersion).Assembly);

    /// <summary>Its three numbers: the same for every build between two releases.</summary>
    public static string Release { get; } = Full.Split('-', '+')[0];

    // What follows the plus is the commit, which the SDK adds: for a bug report, not for a comparison.
    private static string Read(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
