using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>queue</c>: what waits, and holding a part of it back.</summary>
internal static class QueueCommand
{
    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var connection = new FarmConnection();
        var command = new Command("queue", "What waits, by model and class of card, and what is paused")
        {
            JsonSwitch.Option,
            Part("pause", "Give no more videos to workers: of a model, of a key, or any; running ones go on", run, console, time)
                .WithExamples("queue pause --model t2v-14b", "queue pause --of-key key_019…", "queue pause"),
            Part("resume", "End a pause; without an option, all of them", run, console, time)
                .WithExamples("queue resume --model t2v-14b", "queue resume"),
        };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                Write(await client.GetJsonAsync("queue", cancellationToken), parsed, console);
                return VerbProgram.Done;
            }
        );
        return command.WithExamples("queue", "queue --json | jq '.classes[].gpu_seconds'");
    }

    private static Command Part(string name, string description, CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var model = new Option<string?>("--model") { Description = "Of this model" };
        var key = new Option<string?>("--of-key") { Description = "Of this API key, by its id" };
        var connection = new FarmConnection();
        var command = new Command(name, description) { model, key, JsonSwitch.Option };
        connection.AddTo(command);
        model.CompleteWith(connection, time, LiveIds.Models);
        key.CompleteWith(connection, time, LiveIds.Keys);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                var part = new JsonObject();
                foreach (var (member, option) in ((string, Option<string?>)[])[("model", model), ("key", key)])
                {
                    if (parsed.GetValue(option) is { } value)
                    {
                        part[member] = value;
                    }
                }

                using var client = connection.Open(parsed, time);
                var queue = await client.SendJsonAsync(
                    HttpMethod.Post,
                    $"queue/{name}",
                    () => JsonContent.Create(part, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                Write(queue, parsed, console);
                return VerbProgram.Done;
            }
        );
        return command;
    }

    private static void Write(JsonElement queue, ParseResult parsed, IAnsiConsole console)
    {
        if (parsed.WantsJson())
        {
            console.Say(JsonSwitch.Line(queue));
            return;
        }

        var table = new PlainTable("model", "card", "waiting", "longest", "work", "an hour");
        foreach (var line in queue.GetProperty("classes").EnumerateArray())
        {
            table.Add(
                line.GetProperty("model").ToString(),
                line.GetProperty("vram_class").GetInt32() is > 0 and var least ? $"{least} GiB" : "any",
                line.GetProperty("queued").ToString(),
                line.GetProperty("oldest_seconds") is { ValueKind: JsonValueKind.Number } oldest ? Long(oldest) : "",
                Long(line.GetProperty("gpu_seconds")),
                line.GetProperty("per_hour").ToString()
            );
        }

        table.WriteTo(console);
        foreach (var pause in queue.GetProperty("paused").EnumerateArray())
        {
            var (model, key) = (pause.GetProperty("model").GetString(), pause.GetProperty("key").GetString());
            console.Say(
                $"paused since {Moment.OfUnixSeconds(pause.GetProperty("since").GetInt64())}: "
                    + ((model, key) is (null, null) ? "everything"
                        : key is null ? $"model {model}"
                        : model is null ? $"key {key}"
                        : $"model {model} of key {key}")
            );
        }
    }

    private static string Long(JsonElement seconds) => RenderDisplay.Duration(TimeSpan.FromSeconds(seconds.GetDouble()));
}
