using System.CommandLine;
using System.Text.Json;
using RenderFarm.Cli.Models;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Hosting.Folders;
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
        // Without a word more it is the list
        Lists(models, run, console, time);
        return models.WithExamples("models", "models add t2v-14b ~/Wan2.1-T2V-14B");
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var command = new Command("list", "Models that can be asked for, which worker has which, and what is missing where");
        Lists(command, run, console, time);
        return command.WithExamples("models list", "models list --json | jq -r .id");
    }

    private static void Lists(Command command, CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var connection = new FarmConnection();
        command.Add(JsonSwitch.Option);
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

                var workers = (await client.GetJsonAsync("workers", cancellationToken)).GetProperty("data");
                Show(console, known, [.. workers.EnumerateArray().Where(WorkerCommands.IsThere).Select(NameOf)]);
                return 0;
            }
        );
    }

    private static void Show(IAnsiConsole console, JsonElement known, IReadOnlyList<string> live)
    {
        var table = new PlainTable("id", "on", "not on", "picture", "size", "frames", "steps", "note");
        List<string> lacks = [];
        foreach (var model in known.EnumerateArray())
        {
            var defaults = model.GetProperty("defaults");
            var holders = model.GetProperty("workers").EnumerateArray().Where(WorkerCommands.IsThere).ToList();
            table.Add(
                model.GetProperty("id").ToString(),
                holders.Count > 0 ? string.Join(' ', holders.Select(holder => NameOf(holder) + (IsWhole(holder) ? "" : "*"))) : "-",
                string.Join(' ', live.Except(holders.Select(NameOf))),
                model.GetProperty("takes_picture").GetBoolean() ? "takes one" : "",
                $"{defaults.GetProperty("width")}x{defaults.GetProperty("height")}",
                defaults.GetProperty("frames").ToString(),
                defaults.GetProperty("steps").ToString(),
                model.TryGetProperty("note", out var note) ? note.ToString() : ""
            );
            lacks.AddRange(holders.Where(holder => !IsWhole(holder)).Select(holder => LacksOf(model, holder)));
        }

        table.WriteTo(console);
        foreach (var line in lacks)
        {
            console.Say(line);
        }
    }

    private static string LacksOf(JsonElement model, JsonElement holder)
    {
        var files = holder
            .GetProperty("lacks")
            .EnumerateArray()
            .Select(lack => $"{lack.GetProperty("component")} ({lack.GetProperty("file")} {lack.GetProperty("state")})");
        return $"* {NameOf(holder)} can't render {model.GetProperty("id")}: {string.Join(", ", files)}";
    }

    private static bool IsWhole(JsonElement holder) => holder.GetProperty("lacks").GetArrayLength() == 0;


    private static string NameOf(JsonElement worker) => worker.GetProperty("name").ToString();

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
