using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Cli.Showing;
using Spectre.Console;

namespace RenderFarm.Cli.Farm;

/// <summary>The small model that comes with the farm and that every machine can run: copied among the models where it is missing or of another version.</summary>
public static class DemoModel
{
    private const string Id = "demo";

    public static async Task<ModelManifest> EnsureAsync(FarmHome home, FarmPrograms programs, IAnsiConsole console, CancellationToken cancellation)
    {
        var (shipped, folder) = (Path.Combine(programs.Models, Id), Path.Combine(home.Models, Id));
        if (!File.Exists(Path.Combine(shipped, ModelManifest.FileName)))
            throw new FarmException("bad_model", $"{shipped} is missing: take it from the repository again (git checkout deploy/models)");
        if (!await IsThereAsync(shipped, folder, cancellation))
        {
            console.Say($"Copying the demo model to {folder}");
            Copy(shipped, folder);
        }
        var manifest = Path.Combine(folder, ModelManifest.FileName);
        try
        {
            return JsonSerializer.Deserialize(await File.ReadAllTextAsync(manifest, cancellation), ContractsJson.Default.ModelManifest)
                ?? throw new FarmException("bad_model", $"{manifest} is empty: remove {folder} and try again");
        }
        catch (JsonException error)
        {
            throw new FarmException("bad_model", $"{manifest} can't be read ({error.Message}): remove {folder} and try again", error);
        }
    }

    /// <summary>Every file, byte by byte: together they are a few megabytes.</summary>
    private static async Task<bool> IsThereAsync(string shipped, string folder, CancellationToken cancellation)
    {
        foreach (var file in Files(shipped))
        {
            var (ours, theirs) = (new FileInfo(Path.Combine(shipped, file)), new FileInfo(Path.Combine(folder, file)));
            if (!theirs.Exists || theirs.Length != ours.Length) return false;
            byte[] wanted = await File.ReadAllBytesAsync(ours.FullName, cancellation), found = await File.ReadAllBytesAsync(theirs.FullName, cancellation);
            if (!wanted.AsSpan().SequenceEqual(found)) return false;
        }
        return true;
    }

    // Copied beside its place and renamed: half a model is never found. A worker that has the old files open keeps them.
    private static void Copy(string shipped, string folder)
    {
        var (making, old) = ($"{folder}.{Environment.ProcessId}.making", $"{folder}.{Environment.ProcessId}.old");
        try
        {
            foreach (var file in Files(shipped))
            {
                var target = Path.Combine(making, file);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(Path.Combine(shipped, file), target);
            }
            if (Directory.Exists(folder)) Directory.Move(folder, old);
            Directory.Move(making, folder);
        }
        finally
        {
            foreach (var left in new[] { making, old }.Where(Directory.Exists)) Directory.Delete(left, recursive: true);
        }
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file));
}
