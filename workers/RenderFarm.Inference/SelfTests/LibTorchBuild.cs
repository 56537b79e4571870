using System.Globalization;
using TorchSharp;

namespace RenderFarm.Inference.SelfTests;

/// <summary>Which libtorch this process has loaded: an installed PyTorch may stand in for the one that was built against.</summary>
public static class LibTorchBuild
{
    private const string Library = "libtorch_cpu.so";

    /// <summary>The binding's version, and size and age of the library behind it. Call when libtorch is loaded.</summary>
    public static string Name
    {
        get
        {
            var line = File.ReadLines("/proc/self/maps").FirstOrDefault(one => one.Contains(Library, StringComparison.Ordinal));
            if (line is null)
            {
                return torch.__version__;
            }

            var file = new FileInfo(line[line.IndexOf('/', StringComparison.Ordinal)..]);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{torch.__version__}, {Library} of {file.Length} bytes from {file.LastWriteTimeUtc:yyyy-MM-dd HH:mm:ss}"
            );
        }
    }
}
