using System.CommandLine;
using System.Text.Json;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Models;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>models</c>: what a farm can render with. <c>models add</c> tells the local farm where a downloaded checkpoint is;
/// the weights stay where they are.
/// </summary>
internal static class ModelsCommand
{
    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time, ErrandVerbs errands)
    {
        var models = new Command("models", "Models of a farm, and checkpoints on this machine")
        {
            List(run, console, time),
            Add(run, console),
        };
        foreach (var verb in errands.Models())
        {
            models.Add(verb);
        }
        return models.WithExamples("models list", "models add t2v-14b ~/Wan2.1-T2V-14B");
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var connection = new FarmConnection();
        var command = new Command("list", "Models that can be asked for, and whether a worker has them now") { JsonSwitch.Option };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var known = (await client.GetJsonAsync("models", cancellationToken)).GetProperty("data");
                if (parsed.WantsJson())
                {
                    foreach (var model in known.EnumerateArray())
                    {
                        console.Say(JsonSwitch.Line(model));
                    }

                    return 0;
                }
                var table = new PlainTable("id", "worker", "picture", "size", "frames", "steps", "note");
                foreach (var model in known.EnumerateArray())
                {
                    var defaults = model.GetProperty("defaults");
                    table.Add(
                        model.GetProperty("id").ToString(),
                        model.GetProperty("available").GetBoolean() ? "there" : "none now",
                        model.GetProperty("takes_picture").GetBoolean() ? "takes one" : "",
                        $"{defaults.GetProperty("width")}x{defaults.GetProperty("height")}",
                        defaults.GetProperty("frames").ToString(),
                        defaults.GetProperty("steps").ToString(),
                        model.TryGetProperty("note", out var note) ? note.ToString() : ""
                    );
                }
                table.WriteTo(console);
                return 0;
            }
        );
        return command.WithExamples("models list", "models list --json | jq -r .id");
    }

    private static Command Add(CommandRunner run, IAnsiConsole console)
    {
        var id = new Argument<string>("id") { Description = $"One of {string.Join(", ", ModelShapes.All.Select(shape => shape.Id))}" };
        var folder = new Argument<string>("folder") { Description = "The checkpoint's folder, as downloaded" };
        var add = new Command("add", "Use a downloaded checkpoint where it lies") { id, folder };
        run.Run(
            add,
            async (parsed, cancellationToken) =>
            {
                var shape =
                    ModelShapes.Find(parsed.GetValue(id)!)
                    ?? throw new FarmException(
                        "unknown_model",
                        $"there is no model '{parsed.GetValue(id)}'; there are "
                            + $"{string.Join(", ", ModelShapes.All.Select(known => known.Id))}"
                    );
                var manifest = new ModelManifest
                {
                    Shape = shape,
                    Files = PublishedCheckpoint.Find(shape, Path.GetFullPath(parsed.GetValue(folder)!)),
                };
                var path = Path.Combine(
                    Directory.CreateDirectory(Path.Combine(FarmHome.FromEnvironment().Models, shape.Id)).FullName,
                    ModelManifest.FileName
                );
                await File.WriteAllTextAsync(
                    path,
                    JsonSerializer.Serialize(manifest, ContractsJson.Default.ModelManifest),
                    cancellationToken
                );
                console.Say($"{path} names the files of {shape.Id}. Check them with: ./farm models verify {Path.GetDirectoryName(path)}");
                console.Say("Workers register it when they start.");
                return 0;
            }
        );
        return add.WithExamples("models add t2v-14b ~/Wan2.1-T2V-14B");
    }
}
