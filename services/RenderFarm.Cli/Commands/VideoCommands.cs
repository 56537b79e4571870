using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Videos;
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
        yield return ListCommand.Create(run, console, time);
        yield return Show(verbs, console);
        yield return Cancel(verbs, console, time);
        yield return Retry(verbs, console, time);
        yield return Delete(verbs, console, time);
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

    private static Command Cancel(IdVerbs verbs, IAnsiConsole console, TimeProvider time) =>
        verbs
            .Create(
                "cancel",
                "Stop videos or batches",
                IdVerbs.AnyNumber("id", "Videos or batches; none, where a filter says which videos"),
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
                },
                new BulkVerb("cancel", "cancelled", console, time)
            )
            .WithExamples("cancel video_019…", "cancel --status queued --model demo", "cancel --status queued --model demo --yes");

    private static Command Retry(IdVerbs verbs, IAnsiConsole console, TimeProvider time)
    {
        return verbs
            .Create(
                "retry",
                "Run failed or cancelled videos again; of a batch, all that are",
                IdVerbs.AnyNumber("id", "Videos or batches; none, where a filter says which videos"),
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
                },
                new BulkVerb("retry", "run again", console, time)
            )
            .WithExamples("retry video_019…", "retry batch_019…", "retry --error worker_lost --within 12h --yes");

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

    private static Command Delete(IdVerbs verbs, IAnsiConsole console, TimeProvider time) =>
        verbs
            .Create(
                "delete",
                "Remove videos, or batches with their videos, and their files",
                IdVerbs.AnyNumber("id", "Videos or batches; none, where a filter says which videos"),
                [LiveIds.Videos, LiveIds.Batches],
                async (client, id, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(HttpMethod.Delete, FarmClient.Of(id), null, cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(answer));
                    }

                    return VerbProgram.Done;
                },
                new BulkVerb("delete", "deleted", console, time)
            )
            .WithExamples("delete video_019…", "delete batch_019…", "delete --status failed --older-than 7d --yes");

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
