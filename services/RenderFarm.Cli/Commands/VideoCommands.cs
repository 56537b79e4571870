using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs on videos: each is one or two calls of the HTTP interface.</summary>
internal static class VideoCommands
{
    private const int LargestPage = 100;

    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        yield return SubmitCommands.Render(run, console, time);
        yield return SubmitCommands.Submit(run, console, time);
        yield return Watch(run, console, time);
        yield return List(run, console, time);
        yield return Show(run, console, time);
        yield return Change(run, console, time, "cancel", "Stop videos or batches")
            .WithExamples("cancel video_019…", "list --json | jq -r 'select(.status==\"queued\").id' | xargs ./farm cancel");
        yield return Change(run, console, time, "retry", "Run failed or cancelled videos again").WithExamples("retry video_019…");
        yield return Delete(run, console, time);
        yield return Download(run, console, time);
        yield return Remix(run, console, time);
    }

    private static Command Watch(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var id = new Argument<string>("id") { Description = "The video or batch" };
        var connection = new FarmConnection();
        var command = new Command("watch", "Watch a video or a batch until it is finished; Ctrl-C leaves it to the farm").WithExamples(
            "watch video_019…",
            "watch batch_019…",
            "watch video_019… --json"
        );
        command.Add(id);
        connection.AddTo(command);
        id.CompleteWith(connection, time, LiveIds.UnfinishedVideos, LiveIds.UnfinishedBatches);
        command.Add(JsonSwitch.Option);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                if (BatchStatus.IsId(parsed.GetValue(id)!))
                {
                    return await Watching.BatchUntilOverAsync(
                        client,
                        parsed.GetValue(id)!,
                        console,
                        time,
                        parsed.WantsJson(),
                        cancellationToken
                    );
                }

                await Watching.UntilOverAsync(client, parsed.GetValue(id)!, console, quiet: parsed.WantsJson(), cancellationToken);
                if (parsed.WantsJson())
                {
                    console.Say(JsonSwitch.Line(await client.GetJsonAsync(FarmClient.Of(parsed.GetValue(id)!), cancellationToken)));
                }

                return 0;
            }
        );
        return command;
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var limit = OptionKinds.Whole("--limit", "How many; 0 for all", 20, 0);
        var after = new Option<string?>("--after") { Description = "Begin after this id" };
        var oldest = new Option<bool>("--oldest") { Description = "Oldest first instead of newest" };
        var connection = new FarmConnection();
        var command = new Command("list", "List videos, newest first").WithExamples("list", "list --limit 0 --json | jq -r .id");
        foreach (var option in new Option[] { limit, after, oldest, JsonSwitch.Option })
        {
            command.Add(option);
        }

        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var most = parsed.GetValue(limit) is > 0 and var some ? some : int.MaxValue;
                var videos = PagesAsync(client, most, parsed.GetValue(after), parsed.GetValue(oldest) ? "asc" : "desc", cancellationToken);
                if (parsed.WantsJson())
                {
                    await foreach (var video in videos)
                    {
                        console.Say(JsonSwitch.Line(video));
                    }

                    return 0;
                }
                var table = new PlainTable("id", "status", "%", "model", "size", "frames", "prompt");
                await foreach (var answer in videos)
                {
                    var video = answer.Deserialize(FarmJson.Default.Video)!;
                    table.Add(
                        video.Id,
                        video.Error?.Code ?? Word.Of(video.Status),
                        video.Progress.ToString(CultureInfo.InvariantCulture),
                        video.Model,
                        video.Size,
                        video.Frames.ToString(CultureInfo.InvariantCulture),
                        video.Prompt.Length > 60 ? video.Prompt[..59] + "…" : video.Prompt
                    );
                }
                table.WriteTo(console);
                return 0;
            }
        );
        return command;
    }

    private static async IAsyncEnumerable<JsonElement> PagesAsync(
        FarmClient client,
        int most,
        string? after,
        string order,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        for (var left = most; left > 0;)
        {
            var page = await client.GetJsonAsync(
                $"videos?limit={Math.Min(left, LargestPage)}&order={order}{(after is null ? "" : $"&after={Uri.EscapeDataString(after)}")}",
                cancellationToken
            );
            foreach (var video in page.GetProperty("data").EnumerateArray())
            {
                left--;
                yield return video;
            }
            after = page.GetProperty("last_id").GetString();
            if (!page.GetProperty("has_more").GetBoolean() || after is null)
            {
                yield break;
            }
        }
    }

    private static Command Show(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var attempts = new Option<bool>("--attempts") { Description = "Each attempt too: worker, plan, outcome, log" };
        var command = OnOne(
            run,
            time,
            "show",
            "Show a video or a batch",
            async (client, id, parsed, cancellationToken) =>
            {
                var video = await client.GetJsonAsync(FarmClient.Of(id), cancellationToken);
                if (BatchStatus.IsId(id))
                {
                    console.Say(
                        parsed.WantsJson() ? JsonSwitch.Line(video) : $"{id}  {video.Deserialize(FarmJson.Default.BatchStatus)!.Counts}"
                    );
                    return;
                }
                var tries = parsed.GetValue(attempts)
                    ? (await client.GetJsonAsync($"{FarmClient.Of(id)}/attempts", cancellationToken)).GetProperty("data")
                    : default;
                if (parsed.WantsJson())
                {
                    var shown = JsonObject.Create(video)!;
                    if (parsed.GetValue(attempts))
                    {
                        shown["attempts"] = JsonArray.Create(tries);
                    }

                    console.Say(shown.ToJsonString(FarmJson.Plain.Options));
                    return;
                }
                VideoSheet.Write(console, video);
                if (parsed.GetValue(attempts))
                {
                    VideoSheet.WriteAttempts(console, tries);
                }
            }
        );
        command.Add(attempts);
        return command.WithExamples("show video_019…", "show video_019… --attempts", "show video_019… --json | jq .usage");
    }

    private static Command Change(CommandRunner run, IAnsiConsole console, TimeProvider time, string verb, string description)
    {
        var ids = new Argument<string[]>("id")
        {
            Description = verb == "cancel" ? "Videos or batches" : "The videos",
            Arity = ArgumentArity.OneOrMore,
        };
        var connection = new FarmConnection();
        var command = new Command(verb, description) { ids, JsonSwitch.Option };
        connection.AddTo(command);
        LiveIds.Source[] changeable =
            verb == "cancel" ? [LiveIds.UnfinishedVideos, LiveIds.UnfinishedBatches] : [LiveIds.FailedVideos];
        ids.CompleteWith(connection, time, changeable);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                foreach (var id in parsed.GetValue(ids)!)
                {
                    var answer = await client.SendJsonAsync(HttpMethod.Post, $"{FarmClient.Of(id)}/{verb}", null, cancellationToken);
                    var now = BatchStatus.IsId(id)
                        ? answer.Deserialize(FarmJson.Default.BatchStatus)!.Counts.ToString()
                        : RenderDisplay.Describe(answer.Deserialize(FarmJson.Default.Video)!);
                    console.Say(parsed.WantsJson() ? JsonSwitch.Line(answer) : $"{id}  {now}");
                }
                return 0;
            }
        );
        return command;
    }

    private static Command Delete(CommandRunner run, IAnsiConsole console, TimeProvider time) =>
        OnOne(
                run,
                time,
                "delete",
                "Remove a video and its files",
                async (client, id, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(HttpMethod.Delete, FarmClient.Of(id), null, cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(answer));
                    }
                }
            )
            .WithExamples("delete video_019…");

    private static Command Download(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var output = new Option<string?>("--out", "-o") { Description = "The file to write; absent for its id" };
        var variant = OptionKinds.Choice("--variant", "Which file", "video", "video", "thumbnail", "spritesheet");
        var command = OnOne(
            run,
            time,
            "download",
            "Download a finished video",
            async (client, id, parsed, cancellationToken) =>
            {
                var kind = parsed.GetValue(variant)!;
                var path = Path.GetFullPath(parsed.GetValue(output) ?? (kind == "video" ? $"{id}.mp4" : $"{id}-{kind}.webp"));
                await client.DownloadAsync($"{FarmClient.Of(id)}/content?variant={kind}", id, path, cancellationToken);
                console.Say(
                    parsed.WantsJson() ? new JsonObject { ["id"] = id, ["file"] = path }.ToJsonString(FarmJson.Plain.Options) : path
                );
            }
        );
        command.Add(output);
        command.Add(variant);
        return command.WithExamples("download video_019… -o ball.mp4", "download video_019… --variant spritesheet");
    }

    private static Command Remix(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var prompt = new Argument<string>("prompt") { Description = "What to show instead" };
        var command = OnOne(
            run,
            time,
            "remix",
            "The same video with another prompt, as a video of its own",
            async (client, id, parsed, cancellationToken) =>
            {
                var body = new JsonObject { ["prompt"] = parsed.GetValue(prompt) };
                var answer = await client.SendJsonAsync(
                    HttpMethod.Post,
                    $"{FarmClient.Of(id)}/remix",
                    () => JsonContent.Create(body, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(answer) : answer.GetProperty("id").GetString()!);
            }
        );
        command.Add(prompt);
        return command.WithExamples("remix video_019… \"a blue ball rolls to the right\"");
    }

    private static Command OnOne(
        CommandRunner run,
        TimeProvider time,
        string name,
        string description,
        Func<FarmClient, string, ParseResult, CancellationToken, Task> verb
    )
    {
        var id = new Argument<string>("id") { Description = "The video" };
        var connection = new FarmConnection();
        var command = new Command(name, description) { id, JsonSwitch.Option };
        connection.AddTo(command);
        LiveIds.Source[] shown = name switch
        {
            "show" => [LiveIds.Videos, LiveIds.Batches],
            "download" or "remix" => [LiveIds.CompletedVideos],
            _ => [LiveIds.Videos],
        };
        id.CompleteWith(connection, time, shown);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                await verb(client, parsed.GetValue(id)!, parsed, cancellationToken);
                return 0;
            }
        );
        return command;
    }
}
