using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Torch;

namespace RenderFarm.Worker.Children;

/// <summary>
/// What children may know of this process's environment: by name, so that a key or password added to the worker's
/// environment tomorrow does not reach them either.
/// </summary>
internal static class ChildEnvironment
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "PATH", "HOME", "USER", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DOTNET_ROOT",
        "DOTNET_GCHeapHardLimit", "DOTNET_TieredPGO", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "XDG_RUNTIME_DIR", "RENDERFARM_WAYS",
    };

    private static readonly string[] Prefixes = ["CUDA_", "NVIDIA_", "PYTORCH_CUDA_", "TORCH_"];

    /// <summary>The allowed part of this process's environment.</summary>
    public static Dictionary<string, string> Base()
    {
        var allowed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            var name = (string)entry.Key;
            if (Names.Contains(name) || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            {
                allowed[name] = (string?)entry.Value ?? "";
            }
        }

        return allowed;
    }

    /// <summary>For a renderer: the libtorch to load, the one card it may see (none on a CPU slot), its threads.</summary>
    public static Dictionary<string, string> ForRenderer(string? torchFolders, string? cardUuid, int threads, DebugSwitches? debug)
    {
        var environment = ForRenderer(torchFolders, cardUuid);
        environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        if (debug is { CudaLaunchBlocking: true })
        {
            environment["CUDA_LAUNCH_BLOCKING"] = "1";
        }

        return environment;
    }

    /// <summary>For the renderer's program when it renders nothing.</summary>
    /// <param name="torchFolders">Null: the renderer's own libtorch.</param>
    public static Dictionary<string, string> ForRenderer(string? torchFolders, string? cardUuid = null)
    {
        var environment = Base();
        if (!string.IsNullOrEmpty(torchFolders))
        {
            // By the first the renderer loads it whole; by the second it finds what it loads late, by name
            environment[LibTorchFolder.Variable] = torchFolders;
            var rest = environment.GetValueOrDefault("LD_LIBRARY_PATH");
            environment["LD_LIBRARY_PATH"] = string.IsNullOrEmpty(rest) ? torchFolders : $"{torchFolders}:{rest}";
        }

        // A runtime installed in a home folder is found by this variable alone, and the shell may not have exported it
        environment.TryAdd("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..")));
        environment["CUDA_VISIBLE_DEVICES"] = cardUuid ?? "";
        return environment;
    }
}
