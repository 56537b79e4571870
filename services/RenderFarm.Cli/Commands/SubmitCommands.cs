using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>submit</c> and <c>render</c>: the second one stays until the file is there.</summary>
internal static class SubmitCommands
{
    public static Command Submit(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var prompt = new Argument<string>("prompt") { Description = "What to show" };
        var (options, connection) = (new SubmitOptions(), new FarmConnection());
        var command = new Command("submit", "Submit a video and print its id").WithExamples(
            "submit \"a red ball rolls to the right\"",
            "submit \"the boat leaves\" --model i2v-14b-480p --image boat.jpg",
            "submit \"a cat\" --priority 90 --metadata shot=12b --json"
        );
        command.Add(prompt);
        AddTo(command, options, connection, time);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var answer = await SubmitAsync(client, options, parsed, parsed.GetValue(prompt)!, cancellationToken);
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(answer) : answer.GetProperty("id").GetString()!);
                return 0;
            }
        );
        return command;
    }

    public static Command Render(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var prompt = new Argument<string>("prompt") { Description = "What to show" };
        var output = DownloadCommand.File();
        var force = DownloadCommand.Force();
        var (options, connection) = (new SubmitOptions(), new FarmConnection());
        var command = new Command("render", "Submit a video, watch it and download it; Ctrl-C leaves it to the farm").WithExamples(
            "render \"a red ball rolls to the right\"",
            "render \"a cat\" --model t2v-14b --size 832x480 --frames 81 -o cat.mp4",
            "render \"a cat\" --json | jq -r .file"
        );
        command.Add(prompt);
        command.Add(output);
        command.Add(force);
        AddTo(command, options, connection, time);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                var file = OutputFile.Of(parsed.GetValue(output), "out.mp4", parsed.GetValue(force));
                file.Require();
                using var client = connection.Open(parsed, time);
                var id = (await SubmitAsync(client, options, parsed, parsed.GetValue(prompt)!, cancellationToken))
                    .GetProperty("id")
                    .GetString()!;
                var video = await Watching.UntilOverAsync(client, id, console, quiet: parsed.WantsJson(), cancellationToken);
                await client.DownloadAsync(id, file, cancellationToken);
                if (parsed.WantsJson())
                {
                    var answer = JsonObject.Create(await client.GetJsonAsync(FarmClient.Of(id), cancellationToken))!;
                    answer["file"] = file.FullPath;
                    console.Say(answer.ToJsonString(FarmJson.Plain.Options));
                }
                else
                {
                    console.Say(string.Create(CultureInfo.InvariantCulture, $"{file.FullPath}  seed {video.Seed}"));
                }
                return 0;
            }
        );
        return command;
    }

    private static void AddTo(Command command, SubmitOptions options, FarmConnection connection, TimeProvider time)
    {
        options.AddTo(command, connection, time);
        connection.AddTo(command);
        command.Add(JsonSwitch.Option);
    }

    private static Task<JsonElement> SubmitAsync(
        FarmClient client,
        SubmitOptions options,
        ParseResult parsed,
        string prompt,
        CancellationToken cancellationToken
    )
    {
        var (request, files) = options.Read(parsed, prompt);
        return client.SubmitAsync(request, files, options.IdempotencyKey(parsed), cancellationToken);
    }
}
