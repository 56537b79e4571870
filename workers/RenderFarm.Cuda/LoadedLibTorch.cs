using System.Globalization;
using RenderFarm.Cuda.Native;

namespace RenderFarm.Cuda;

/// <summary>The libtorch that this process has loaded, by the system's list of mapped files and by what it says itself.</summary>
public static class LoadedLibTorch
{
    private const string Maps = "/proc/self/maps";
    private static readonly string[] Parts = ["libc10.so", "libc10_cuda.so", "libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so"];

    /// <summary>Its parts that are mapped, each once.</summary>
    public static IReadOnlyList<string> Files =>
        File.Exists(Maps)
            ?
            [
                .. File.ReadLines(Maps)
                    .Select(line => line.IndexOf('/', StringComparison.Ordinal) is var at and >= 0 ? line[at..] : "")
                    .Where(path => Parts.Contains(Path.GetFileName(path)))
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal),
            ]
            : [];

    /// <summary>
    /// <c>2.10.0</c>, as the library itself has it; null before it is loaded, and where it is older than the question.
    /// </summary>
    public static string? Version
    {
        get
        {
            if (Files.Count == 0)
            {
                return null; // Asking would load one
            }

            try
            {
                var packed = StableAten.AbiVersion();
                return string.Create(CultureInfo.InvariantCulture, $"{packed >> 56}.{(packed >> 48) & 0xFF}.{(packed >> 40) & 0xFF}");
            }
            catch (Exception fault) when (fault is DllNotFoundException or EntryPointNotFoundException)
            {
                return null;
            }
        }
    }

    /// <summary>Null where all parts come from one place; else which do not.</summary>
    public static string? Mix =>
        Files.GroupBy(path => Path.GetDirectoryName(path)).Select(group => group.ToList()).ToList() is { Count: > 1 } places
            ? $"two libtorch are in this process: {string.Join(" and ", places.Select(place =>
                $"{string.Join(", ", place.Select(Path.GetFileName))} of {Path.GetDirectoryName(place[0])}"))}"
            : null;
}
