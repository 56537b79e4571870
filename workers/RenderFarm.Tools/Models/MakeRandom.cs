using System.Diagnostics;
using System.Globalization;
using RenderFarm.Contracts.Models;
using RenderFarm.Hosting.Folders;
using RenderFarm.Planning.Models;
using RenderFarm.Verbs.Parsing;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Tools.Models;

/// <summary>
/// <c>models make-random</c>: the files, keys and types of the published checkpoint (safetensors in the place of .pth), a small
/// SentencePiece model and a manifest. Needs the memory of the largest tensor.
/// </summary>
internal static class MakeRandom
{
    private const long TellEvery = 1_000_000_000;

    public static int Run(string preset, string folder, long seed, bool force, FreeSpace disks)
    {
        if (ModelShapes.Find(preset) is not { } shape)
        {
            throw VerbException.Wrong(
                $"preset is '{preset}': it must be one of {string.Join(", ", ModelShapes.All.Select(known => known.Id))}"
            );
        }
        if (File.Exists(Path.Combine(folder, ModelManifest.FileName)) && !force)
        {
            throw VerbException.Wrong($"{folder} holds a model already; choose another folder, or --force to overwrite it");
        }
        var total = RandomModel.TotalBytes(shape);
        if (FreeBytes(folder, disks) is { } free && free < total)
        {
            var root = Path.GetPathRoot(Path.GetFullPath(folder))!;
            throw new VerbException($"{shape.Id} needs {Gigabytes(total)}, {Gigabytes(free)} are free below {root}");
        }
        Write(shape, folder, seed, total);
        return VerbProgram.Done;
    }

    private static void Write(ModelShape shape, string folder, long seed, long total)
    {
        var started = Stopwatch.GetTimestamp();
        long done = 0;
        long shown = 0;
        RandomModel.Write(
            shape,
            folder,
            seed,
            bytes =>
            {
                done += bytes;
                if (done - shown < TellEvery)
                {
                    return;
                }
                shown = done;
                Console.Error.WriteLine(
                    $"{Gigabytes(done)} of {Gigabytes(total)} written, {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s"
                );
            }
        );
        Console.Error.WriteLine(
            $"{shape.Id}: {Gigabytes(total)} of random weights in {folder}, {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"
        );
    }

    /// <summary>Null where the disk doesn't say.</summary>
    private static long? FreeBytes(string folder, FreeSpace disks)
    {
        try
        {
            return disks.BytesFor(folder);
        }
        catch (IOException error)
        {
            Console.Error.WriteLine($"make-random: free space is not known ({error.Message})");
            return null;
        }
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.000} GB");
}
