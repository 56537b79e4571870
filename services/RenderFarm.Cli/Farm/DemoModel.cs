using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Cli.Showing;
using Spectre.Console;

namespace RenderFarm.Cli.Farm;

/// <summary>The small model that every machine can run: made on the spot where there is none yet.</summary>
public static class DemoModel
{
    private const string Id = "demo";

    public static async Task<ModelManifest> EnsureAsync(FarmHome home, FarmPrograms programs, IAnsiConsole console, CancellationToken cancellation)
    {
        var folder = Path.Combine(home.Models, Id);
        var manifest = Path.Combine(folder, ModelManifest.FileName);
        if (!File.Exists(manifest))
        {
            console.Say($"Making the demo model in {folder}");
            await MakeAsync(folder, programs, home, cancellation);
        }
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

    // Made beside its place and renamed: a half-made model is never found.
    private static async Task MakeAsync(string folder, FarmPrograms programs, FarmHome home, CancellationToken cancellation)
    {
        var making = $"{folder}.{Environment.ProcessId}.making";
        var log = Path.Combine(home.Logs, "make-model.log");
        var start = new ProcessStartInfo(programs.Renderer) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "models", "make-random", Id, making, "--seed", "1" })
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new FarmException("start_failed", $"could not start {programs.Renderer}");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            var said = await output + await errors;
            if (process.ExitCode != 0 || !File.Exists(Path.Combine(making, ModelManifest.FileName)))
            {
                await File.WriteAllTextAsync(log, said, cancellation);
                throw new FarmException("make_model_failed", $"making the demo model ended with exit code {process.ExitCode}: {said.Trim()}") { Log = log };
            }
            Directory.Move(making, folder);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            if (Directory.Exists(making))
                Directory.Delete(making, recursive: true);
        }
    }
}
