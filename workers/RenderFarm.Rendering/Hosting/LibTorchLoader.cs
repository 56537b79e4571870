using System.Runtime.InteropServices;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Native;
using RenderFarm.Hosting.Torch;

namespace RenderFarm.Rendering.Hosting;

/// <summary>
/// Loads exactly one libtorch before the binding looks for one: every part by its full path, from one folder. Whoever asks for a part by
/// name afterwards, the binding and its own library too, is given the one that is there.
/// </summary>
public static class LibTorchLoader
{
    private static readonly Lazy<LibTorchException?> Fault = new(TryLoad);

    /// <summary>The folder that was chosen; null where the loader of the system finds one by itself, or nothing does.</summary>
    public static LibTorchFolder? Chosen { get; private set; }

    /// <summary>
    /// Loads it: call before anything of the binding is touched; again it costs nothing. Null where all is well, else why there is none.
    /// </summary>
    public static string? WhyNot => Fault.Value?.Message;

    /// <summary>The same.</summary>
    /// <exception cref="LibTorchException">It is not whole, too old, or two.</exception>
    public static void Load()
    {
        if (WhyNot is { } reason)
        {
            throw new LibTorchException(reason);
        }
    }

    /// <summary>Call when the binding has loaded what it needs: nothing of another libtorch came with it.</summary>
    /// <exception cref="LibTorchException">Something did.</exception>
    public static void RequireOne()
    {
        if (LoadedLibTorch.Mix is { } mix)
        {
            throw new LibTorchException($"{mix}; name one in {LibTorchFolder.Variable}, and nothing of another in LD_LIBRARY_PATH");
        }
    }

    /// <summary><c>2.11.0+cu130 (/opt/venv/…/torch/lib: libc10.so, …)</c>: what is loaded now, by the library's own word.</summary>
    public static string Describe()
    {
        var files = LoadedLibTorch.Files;
        var said = LoadedLibTorch.Version ?? "no version that it tells";
        var stated = Chosen?.StatedVersion is { } written && written != said ? $"{written}, by its library {said}" : said;
        return files.Count == 0
            ? stated
            : $"{stated} ({Path.GetDirectoryName(files[0])}: {string.Join(", ", files.Select(Path.GetFileName))})";
    }

    private static LibTorchException? TryLoad()
    {
        try
        {
            Chosen = Choose();
            if (Chosen is not { } folder)
            {
                return null;
            }

            folder.Require();
            CudaLibraries.Folders = [folder.Path, .. folder.CudaFolders];
            foreach (var library in folder.Libraries)
            {
                NativeLibrary.Load(library);
            }

            Check(folder);
            return null;
        }
        catch (LibTorchException fault)
        {
            return fault;
        }
        catch (DllNotFoundException fault)
        {
            return new LibTorchException($"the libtorch in {Chosen!.Path} can't be loaded: {fault.Message.Split('\n')[0]}");
        }
    }

    /// <summary>What somebody named, else the build's own, else what the system's loader is told of.</summary>
    private static LibTorchFolder? Choose()
    {
        if (Environment.GetEnvironmentVariable(LibTorchFolder.Variable) is { Length: > 0 } named)
        {
            return LibTorchFolder.Among(named, LibTorchFolder.Variable);
        }

        return LibTorchFolder.Own(AppContext.BaseDirectory) ?? LibTorchFolder.OnLoadersPath;
    }

    private static void Check(LibTorchFolder folder)
    {
        RequireOne();
        var said = LoadedLibTorch.Version;
        if (said is null || LibTorchFolder.Number(said) < LibTorchFolder.Oldest)
        {
            throw new LibTorchException(
                $"the libtorch in {folder.Path} is {said ?? "older than it could say"}; {LibTorchFolder.Oldest} or newer is needed"
            );
        }

        if (folder.StatedVersion is { } stated && LibTorchFolder.Number(stated) != LibTorchFolder.Number(said))
        {
            throw new LibTorchException(
                $"the libtorch in {folder.Path} is a mix: {stated} is written beside it, and its library is {said}; install it again"
            );
        }
    }
}
