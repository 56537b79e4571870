using System.Globalization;

namespace RenderFarm.Worker.Leases;

/// <summary>The folder that belongs to one lease, among attempts and in the spool.</summary>
internal static class LeaseFolder
{
    public static string NameOf(string jobId, long fence) => string.Create(CultureInfo.InvariantCulture, $"{jobId}-{fence}");
}
