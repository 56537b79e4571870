using System.Text.Json;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Hosting.Folders;
using Spectre.Console;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// The small model that comes with the farm and that every machine can run: its files are copied among the models where they are
/// missing or others.
/// </summary>
internal static class DemoModel
{
    private const string Id = "demo";

    /// <exception cref="FarmException">It is missing where it comes from, or can't be kept among the models.</exception>
    public static async Task<ModelManifest> EnsureAsync(
        FarmHome home,
        FarmPrograms programs,
        IAnsiConsole console,
        CancellationToken cancellationToken
    )
    {
        var (shipped, folder) = (Path.Combine(programs.Models, Id), Path.Combine(home.Models, Id));
        if (!File.Exists(Path.Combine(shipped, ModelManifest.FileName)))
        {
            throw new FarmException("bad_model", $"{shipped} is missing: take it from the repository again (git checkout deploy/models)");
        }

        try
        {
            var wanted = await OthersAsync(shipped, folder, cancellationToken);
            if (wanted.Count > 0)
            {
                console.Say($"Copying the demo model to {folder}");
                Copy(wanted, shipped, folder);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw HomeFolders.NotWritable(folder, error);
        }
        var manifest = Path.Combine(folder, ModelManifest.FileName);
        try
        {
            return JsonSerializer.Deserialize(await File.ReadAllTextAsync(manifest, cancellationToken), ContractsJson.Default.ModelManifest)
                ?? throw new FarmException("bad_model", $"{manifest} is empty: take deploy/models from the repository again");
        }
        catch (JsonException error)
        {
            throw new FarmException(
                "bad_model",
                $"{manifest} can't be read ({error.Message}): take deploy/models from the repository again",
                error
            );
        }
    }

    /// <summary>Files that are missing or differ in any byte; together they are a few megabytes. The manifest is the last.</summary>
    private static async Task<IReadOnlyList<string>> OthersAsync(string shipped, string folder, CancellationToken cancellationToken)
    {
        List<string> others = [];
        foreach (var path in Directory.EnumerateFiles(shipped, "*", SearchOption.AllDirectories))
        {
            var file = Path.GetRelativePath(shipped, path);
            if (!await AreSameAsync(path, Path.Combine(folder, file), cancellationToken))
            {
                others.Add(file);
            }
        }
        return [.. others.OrderBy(file => file == ModelManifest.FileName)];
    }

    private static async Task<bool> AreSameAsync(string path, string other, CancellationToken cancellationToken)
    {
        if (new FileInfo(other) is not { Exists: true } found || found.Length != new FileInfo(path).Length)
        {
            return false;
        }

        var ours = await File.ReadAllBytesAsync(path, cancellationToken);
        var theirs = await File.ReadAllBytesAsync(other, cancellationToken);
        return ours.AsSpan().SequenceEqual(theirs);
    }

    // Each beside its place and renamed: none is ever half there, two that copy at once do each other no harm, a renderer that
    // has an old one open keeps it, and what somebody put beside them stays.
    private static void Copy(IReadOnlyList<string> files, string shipped, string folder)
    {
        foreach (var file in files)
        {
            var target = Path.Combine(folder, file);
            var making = $"{target}.{Path.GetRandomFileName()}";
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            try
            {
                File.Copy(Path.Combine(shipped, file), making, overwrite: true);
                File.Move(making, target, overwrite: true);
            }
            finally
            {
                File.Delete(making);
            }
        }
    }
}
