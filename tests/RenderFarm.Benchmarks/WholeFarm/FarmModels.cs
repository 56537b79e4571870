using System.Diagnostics;
using System.Globalization;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks.WholeFarm;

/// <summary>A folder with the demo model of the checkout and a large one of random weights.</summary>
internal sealed class FarmModels : IDisposable
{
    private readonly bool _keep;

    private FarmModels(string folder, bool keep) => (Folder, _keep) = (folder, keep);

    public string Folder { get; }

    /// <param name="folder">Kept; null: a folder that goes when this is disposed.</param>
    public static FarmModels In(string? folder)
    {
        var models = folder is null
            ? new FarmModels(Directory.CreateTempSubdirectory("farm-models-").FullName, keep: false)
            : new FarmModels(Directory.CreateDirectory(folder).FullName, keep: true);
        var demo = Path.Combine(models.Folder, "demo");
        if (!Directory.Exists(demo))
        {
            Directory.CreateSymbolicLink(demo, Path.Combine(BuiltPrograms.Root, "deploy", "models", "demo"));
        }

        return models;
    }

    /// <returns>Seconds that it took; null where it was there.</returns>
    public async Task<double?> MakeAsync(string model)
    {
        var into = Path.Combine(Folder, model);
        if (File.Exists(Path.Combine(into, "model.json")))
        {
            return null;
        }

        var clock = Stopwatch.StartNew();
        using var maker = Process.Start(
            new ProcessStartInfo(BuiltPrograms.Tools, ["models", "make-random", model, into, "--seed", "3"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var said = maker.StandardOutput.ReadToEndAsync();
        var complaints = await maker.StandardError.ReadToEndAsync();
        await said;
        await maker.WaitForExitAsync();
        return maker.ExitCode == 0
            ? clock.Elapsed.TotalSeconds
            : throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"making {model} ended with {maker.ExitCode}: {complaints}")
            );
    }

    public void Dispose()
    {
        if (!_keep)
        {
            Directory.Delete(Path.Combine(Folder, "demo")); // The link; never what it points to
            Directory.Delete(Folder, recursive: true);
        }
    }
}
