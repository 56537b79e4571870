using System.Diagnostics;
using System.Globalization;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Renderer.Models;

/// <summary><c>models make-random</c>: nothing has to wait for a download.</summary>
internal static class MakeRandom
{
    private static readonly string Usage = $"""
        models make-random PRESET DIR [--seed N] [--force]

        Writes a model of random weights into DIR: the files, keys and types of the published checkpoint (safetensors in
        the place of .pth), a small SentencePiece model and {ModelManifest.FileName}. Needs the memory of the largest tensor.
        The same preset and seed (default 0) give the same bytes. --force overwrites a model that is there.

        Presets: {string.Join(", ", ModelShapes.All.Select(s => s.Id))}
        """;

    public static int Run(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            return ModelsVerb.Say(Usage);
        }

        var words = new List<string>();
        long seed = 0;
        var force = false;
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--force":
                    force = true;
                    break;
                case "--seed" when i + 1 < args.Length && long.TryParse(args[i + 1], CultureInfo.InvariantCulture, out seed):
                    i++;
                    break;
                case "--seed":
                    return ExitCodes.Usage("make-random: --seed takes a whole number");
                case var option when option.StartsWith('-'):
                    return ExitCodes.Usage($"make-random: unknown option '{option}'\n\n{Usage}");
                default:
                    words.Add(args[i]);
                    break;
            }
        }
        if (words is not [var preset, var folder])
        {
            return ExitCodes.Usage(Usage);
        }

        if (ModelShapes.Find(preset) is not { } shape)
        {
            return ExitCodes.Usage(
                $"make-random: there is no preset '{preset}'; choose one of {string.Join(", ", ModelShapes.All.Select(s => s.Id))}"
            );
        }

        if (File.Exists(Path.Combine(folder, ModelManifest.FileName)) && !force)
        {
            return ExitCodes.Usage($"make-random: {folder} holds a model already; choose another folder, or --force to overwrite it");
        }

        return Write(shape, folder, seed);
    }

    private static int Write(ModelShape shape, string folder, long seed)
    {
        var total = RandomModel.TotalBytes(shape);
        var root = Path.GetPathRoot(Path.GetFullPath(folder))!;
        if (FreeBytes(folder) is { } free && free < total)
        {
            Console.Error.WriteLine($"make-random: {shape.Id} needs {Gigabytes(total)}, {Gigabytes(free)} are free below {root}");
            return ExitCodes.Failed;
        }
        var started = Stopwatch.GetTimestamp();
        long done = 0,
            shown = 0;
        RandomModel.Write(
            shape,
            folder,
            seed,
            bytes =>
            {
                done += bytes;
                if (done - shown < 1_000_000_000)
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
        return ExitCodes.Done;
    }

    private static long? FreeBytes(string folder)
    {
        // The mount that the folder will be on: its longest existing ancestor
        var path = Path.GetFullPath(folder);
        while (!Directory.Exists(path))
        {
            path = Path.GetDirectoryName(path)!;
        }

        try
        {
            return new DriveInfo(path).AvailableFreeSpace;
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"make-random: free space is not known ({e.Message})");
            return null;
        }
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.000} GB");
}
