using System.Globalization;
using RenderFarm.Cuda;
using TorchSharp;

namespace RenderFarm.Inference.SelfTests;

/// <summary>Which libtorch this process has loaded: an installed PyTorch may stand in for the one that was built against.</summary>
public static class LibTorchBuild
{
    private const string Library = "libtorch_cpu.so";

    /// <summary>The library's own version, its size and its age. Call when libtorch is loaded.</summary>
    public static string Name
    {
        get
        {
            var version = LoadedLibTorch.Version ?? torch.__version__;
            if (LoadedLibTorch.Files.FirstOrDefault(path => Path.GetFileName(path) == Library) is not { } loaded)
            {
                return version;
            }

            var file = new FileInfo(loaded);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{version}, {Library} of {file.Length} bytes from {file.LastWriteTimeUtc:yyyy-MM-dd HH:mm:ss}"
            );
        }
    }
}
