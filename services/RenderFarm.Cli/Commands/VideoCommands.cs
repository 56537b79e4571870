using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs on videos, and on batches where they do the same: each is one or a few calls of the HTTP interface.</summary>
internal static class VideoCommands
{
    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var verbs = new IdVerbs(run, time);
        yield return SubmitCommands.Render(run, console, time);
        yield return SubmitCommands.Submit(run, console, time);
        yield return Watch(verbs, console, time);
        yield return List(run, console, time);
        yield return Show(verbs, console);
        yield return Cancel(verbs, console);
        yield return Retry(verbs, console);
        yield return Delete(verbs, console);
        yield return DownloadCommand.Create(verbs, console);
        yield return Remix(verbs, console);
    }

    private static Command Watch(IdVerbs verbs, IAnsiConsole console, TimeProvider time) =>
        verbs
            .Create(
                "watch",
                "Watch a video or a batch until it is finished; Ctrl-C leaves it to the farm",
                IdVerbs.One("id", "The video or batch"),
                [LiveIds.UnfinishedVideos, LiveIds.UnfinishedBatches],
                async (client, id, parsed, cancellationToken) =>
                {
                    if (BatchStatus.IsId(id))
                    {
                        return await Watching.BatchUntilOverAsync(client, id, console, time, parsed.WantsJson(), cancellationToken);
                    }

                    await Watching.UntilOverAsync(client, id, console, quiet: parsed.WantsJson(), cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(await client.GetJsonAsync(FarmClient.Of(id), cancellationToken)));
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples("watch video_019…", "watch batch_019…", "watch video_019… --json");

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
        after.CompleteWith(connection, time, LiveIds.Videos);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var most = parsed.GetValue(limit) is > 0 and var some ? some : int.MaxValue;
                var order = parsed.GetValue(oldest) ? "asc" : "desc";
                var videos = client.PagesAsync("videos", most, parsed.GetValue(after), order, cancellationToken);
                if (parsed.WantsJson())
                {
                    await foreach (var video in videos)
                    {
                        console.Say(JsonSwitch.Line(video));
                    }

                    return 0;
                }
                var table = new PlainTable("id", "status", "%", "try", "model", "size", "frames", "prompt");
                await foreach (var answer in videos)
                {
                    var video = answer.Deserialize(FarmJson.Default.Video)!;
                    table.Add(
                        video.Id,
                        video.Error?.Code ?? Word.Of(video.Status),
                        video.Progress.ToString(CultureInfo.InvariantCulture),
                        video.Attempt.ToString(CultureInfo.InvariantCulture),
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

    private static Command Show(IdVerbs verbs, IAnsiConsole console)
    {
        var attempts = new Option<bool>("--attempts") { Description = "Each attempt too: worker, plan, outcome, log" };
        var command = verbs.Create(
            "show",
            "Show a video or a batch",
            IdVerbs.One("id", "The video or batch"),
            [LiveIds.Videos, LiveIds.Batches],
            async (client, id, parsed, cancellationToken) =>
            {
                var video = await client.GetJsonAsync(FarmClient.Of(id), cancellationToken);
                if (BatchStatus.IsId(id))
                {
                    console.Say(
                        parsed.WantsJson() ? JsonSwitch.Line(video) : $"{id}  {video.Deserialize(FarmJson.Default.BatchStatus)!.Counts}"
                    );
                    return VerbProgram.Done;
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
                    return VerbProgram.Done;
                }
                VideoSheet.Write(console, video);
                if (parsed.GetValue(attempts))
                {
                    VideoSheet.WriteAttempts(console, tries);
                }

                return VerbProgram.Done;
            }
        );
        command.Add(attempts);
        return command.WithExamples("show video_019…", "show video_019… --attempts", "show video_019… --json | jq .usage");
    }

    private static Command Cancel(IdVerbs verbs, IAnsiConsole console) =>
        verbs
            .Create(
                "cancel",
                "Stop videos or batches",
                IdVerbs.Several("id", "Videos or batches"),
                [LiveIds.UnfinishedVideos, LiveIds.UnfinishedBatches],
                async (client, id, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(HttpMethod.Post, $"{FarmClient.Of(id)}/cancel", null, cancellationToken);
                    console.Say(
                        parsed.WantsJson() ? JsonSwitch.Line(answer)
                        : BatchStatus.IsId(id) ? $"{id}  {Stopped.Describe(answer.Deserialize(FarmJson.Default.BatchStatus)!.Counts)}"
                        : $"{id}  {Stopped.Describe(answer.Deserialize(FarmJson.Default.Video)!)}"
                    );
                    return VerbProgram.Done;
                }
            )
            .WithExamples("cancel video_019…", "list --json | jq -r 'select(.status==\"queued\").id' | xargs ./farm cancel");

    private static Command Retry(IdVerbs verbs, IAnsiConsole console)
    {
        return verbs
            .Create(
                "retry",
                "Run failed or cancelled videos again; of a batch, all that are",
                IdVerbs.Several("id", "Videos or batches"),
                [LiveIds.FailedVideos, LiveIds.Batches],
                async (client, id, parsed, cancellationToken) =>
                {
                    if (!BatchStatus.IsId(id))
                    {
                        await RetryAsync(client, id, parsed, cancellationToken);
                        return VerbProgram.Done;
                    }

                    var videos = client.PagesAsync($"{FarmClient.Of(id)}/videos", int.MaxValue, null, "asc", cancellationToken);
                    await foreach (var video in videos)
                    {
                        if (video.Deserialize(FarmJson.Default.Video)! is { Status: VideoStatus.Failed, Id: var failed })
                        {
                            await RetryAsync(client, failed, parsed, cancellationToken);
                        }
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples("retry video_019…", "retry batch_019…");

        async Task RetryAsync(FarmClient client, string id, ParseResult parsed, CancellationToken cancellationToken)
        {
            var answer = await client.SendJsonAsync(HttpMethod.Post, $"{FarmClient.Of(id)}/retry", null, cancellationToken);
            console.Say(
                parsed.WantsJson()
                    ? JsonSwitch.Line(answer)
                    : $"{id}  {RenderDisplay.Describe(answer.Deserialize(FarmJson.Default.Video)!)}"
            );
        }
    }

    private static Command Delete(IdVerbs verbs, IAnsiConsole console) =>
        verbs
            .Create(
                "delete",
                "Remove videos, or batches with their videos, and their files",
                IdVerbs.Several("id", "Videos or batches"),
                [LiveIds.Videos, LiveIds.Batches],
                async (client, id, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(HttpMethod.Delete, FarmClient.Of(id), null, cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(answer));
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples("delete video_019…", "delete batch_019…");

    private static Command Remix(IdVerbs verbs, IAnsiConsole console)
    {
        var prompt = new Argument<string>("prompt") { Description = "What to show instead" };
        var command = verbs.Create(
            "remix",
            "The same video with another prompt, as a video of its own",
            IdVerbs.One("id", "The video"),
            [LiveIds.CompletedVideos],
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
                return VerbProgram.Done;
            }
        );
        command.Add(prompt);
        return command.WithExamples("remix video_019… \"a blue ball rolls to the right\"");
    }
}
