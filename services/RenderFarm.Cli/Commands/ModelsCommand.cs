using System.CommandLine;
using System.Text.Json;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Models;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>models add</c>: tells the local farm where a downloaded checkpoint is. The weights stay where they are.</summary>
public static class ModelsCommand
{
    public static Command Create(CommandRunner run, IAnsiConsole console)
    {
        var id = new Argument<string>("id") { Description = $"One of {string.Join(", ", ModelShapes.All.Select(shape => shape.Id))}" };
        var folder = new Argument<string>("folder") { Description = "The checkpoint's folder, as downloaded" };
        var add = new Command("add", "Use a downloaded checkpoint where it lies") { id, folder };
        run.Run(add, async (parsed, cancellation) =>
        {
            var shape = ModelShapes.Find(parsed.GetValue(id)!)
                ?? throw new FarmException("unknown_model", $"there is no model '{parsed.GetValue(id)}'; there are {string.Join(", ", ModelShapes.All.Select(known => known.Id))}");
            var manifest = new ModelManifest { Shape = shape, Files = PublishedCheckpoint.Find(shape, Path.GetFullPath(parsed.GetValue(folder)!)) };
            var path = Path.Combine(Directory.CreateDirectory(Path.Combine(FarmHome.FromEnvironment().Models, shape.Id)).FullName, ModelManifest.FileName);
            await File.WriteAllTextAsync(path, JsonSerializer.Serialize(manifest, ContractsJson.Default.ModelManifest), cancellation);
            console.Say($"{path} names the files of {shape.Id}. Check them with: ./farm models verify {Path.GetDirectoryName(path)}");
            console.Say("Workers register it when they start.");
            return 0;
        });
        return new Command("models", "Models of the local farm (make-random, inspect and verify are there too)") { add };
    }
}
