using System.CommandLine;
using System.Globalization;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs on videos: each is one or two calls of the HTTP interface.</summary>
public static class VideoCommands
{
    private const int WidthOfAPipe = 400;

    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        yield return Submit(run, console, time, "submit", "Submit a video and print its id", waits: false);
        yield return Submit(run, console, time, "render", "Submit a video, watch it and download it", waits: true);
        yield return List(run, console, time);
        yield return OnOne(run, time, "show", "Show a video", (client, id, cancellation) => ShowAsync(client, id, console, cancellation));
        yield return OnOne(run, time, "watch", "Watch a video until it is finished", (client, id, cancellation) => WatchAsync(client, id, console, cancellation));
        yield return OnOne(run, time, "cancel", "Stop a video", async (client, id, cancellation) =>
            console.Say(RenderDisplay.Describe(await client.CancelAsync(id, cancellation))));
        yield return OnOne(run, time, "delete", "Remove a video and its files", (client, id, cancellation) => client.DeleteAsync(id, cancellation));
        yield return Download(run, console, time);
    }

    private static Command Submit(CommandRunner run, IAnsiConsole console, TimeProvider time, string name, string description, bool waits)
    {
        var prompt = new Argument<string>("prompt") { Description = "What to show" };
        var model = new Option<string?>("--model") { Description = "A model id, such as t2v-1-3b; absent for the farm's default" };
        var priority = new Option<int?>("--priority") { Description = "0 to 100, higher first" };
        var output = new Option<string>("--out", "-o") { Description = "The MP4 to write", DefaultValueFactory = _ => "out.mp4" };
        var (video, connection) = (new VideoOptions(), new FarmConnection());
        var command = new Command(name, description) { prompt, model, priority };
        video.AddTo(command);
        connection.AddTo(command);
        if (waits)
            command.Add(output);
        run.Run(command, async (parsed, cancellation) =>
        {
            using var client = connection.Open(parsed, time);
            var request = video.Read(parsed, parsed.GetValue(prompt)!, parsed.GetValue(model)) with { Priority = parsed.GetValue(priority) };
            var submitted = await client.SubmitAsync(request, cancellation);
            if (!waits)
            {
                console.Say(submitted.Id);
                return 0;
            }
            await WatchAsync(client, submitted.Id, console, cancellation);
            await client.DownloadAsync(submitted.Id, parsed.GetValue(output)!, cancellation);
            console.Say(string.Create(CultureInfo.InvariantCulture, $"{Path.GetFullPath(parsed.GetValue(output)!)}  seed {submitted.Seed}"));
            return 0;
        });
        return command;
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var limit = new Option<int>("--limit") { Description = "How many, newest first", DefaultValueFactory = _ => 20 };
        var connection = new FarmConnection();
        var command = new Command("list", "List videos") { limit };
        connection.AddTo(command);
        run.Run(command, async (parsed, cancellation) =>
        {
            using var client = connection.Open(parsed, time);
            var page = await client.ListAsync(parsed.GetValue(limit), after: null, cancellation);
            var table = new Table { Border = TableBorder.None }.AddColumns("id", "status", "%", "model", "size", "frames", "prompt");
            foreach (var video in page.Data)
            {
                table.AddRow(new[]
                {
                    video.Id, video.Error?.Code ?? video.Status, video.Progress.ToString(CultureInfo.InvariantCulture), video.Model, video.Size,
                    video.Frames.ToString(CultureInfo.InvariantCulture), video.Prompt.Length > 60 ? video.Prompt[..59] + "…" : video.Prompt,
                }.Select(Markup.Escape).ToArray());
            }
            // An id is there to be copied: it never wraps, and into a file or a pipe nothing does.
            table.Columns[0].NoWrap();
            if (!console.Profile.Out.IsTerminal)
                console.Profile.Width = WidthOfAPipe;
            console.Write(table);
            return 0;
        });
        return command;
    }

    private static Command Download(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var id = new Argument<string>("id") { Description = "The video" };
        var output = new Option<string?>("--out", "-o") { Description = "The MP4 to write; absent for its id" };
        var connection = new FarmConnection();
        var command = new Command("download", "Download a finished video") { id, output };
        connection.AddTo(command);
        run.Run(command, async (parsed, cancellation) =>
        {
            using var client = connection.Open(parsed, time);
            var path = parsed.GetValue(output) ?? $"{parsed.GetValue(id)}.mp4";
            await client.DownloadAsync(parsed.GetValue(id)!, path, cancellation);
            console.Say(Path.GetFullPath(path));
            return 0;
        });
        return command;
    }

    private static Command OnOne(CommandRunner run, TimeProvider time, string name, string description, Func<FarmClient, string, CancellationToken, Task> verb)
    {
        var id = new Argument<string>("id") { Description = "The video" };
        var connection = new FarmConnection();
        var command = new Command(name, description) { id };
        connection.AddTo(command);
        run.Run(command, async (parsed, cancellation) =>
        {
            using var client = connection.Open(parsed, time);
            await verb(client, parsed.GetValue(id)!, cancellation);
            return 0;
        });
        return command;
    }

    private static async Task ShowAsync(FarmClient client, string id, IAnsiConsole console, CancellationToken cancellation)
    {
        var video = await client.GetAsync(id, cancellation);
        var rows = new Grid().AddColumns(2);
        foreach (var (name, value) in new (string, string?)[]
        {
            ("id", video.Id), ("status", video.Status), ("now", RenderDisplay.Describe(video)), ("error", video.Error is { } error ? $"{error.Code}: {error.Message}" : null),
            ("prompt", video.Prompt), ("model", video.Model), ("size", video.Size), ("seconds", video.Seconds),
            ("frames", video.Frames.ToString(CultureInfo.InvariantCulture)), ("steps", video.Steps.ToString(CultureInfo.InvariantCulture)),
            ("seed", video.Seed.ToString(CultureInfo.InvariantCulture)), ("note", video.Note), ("warning", video.Warning),
        })
        {
            if (!string.IsNullOrEmpty(value))
                rows.AddRow(name, Markup.Escape(value));
        }
        console.Write(rows);
    }

    private static async Task WatchAsync(FarmClient client, string id, IAnsiConsole console, CancellationToken cancellation)
    {
        var finished = await RenderDisplay.RunAsync(console, update => client.WatchAsync(id, update, cancellation));
        if (finished.Error is { } error)
            throw new FarmException(error.Code, error.Message);
    }
}
