using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>list</c>: videos, all or those of a filter.</summary>
internal static class ListCommand
{
    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var limit = OptionKinds.Whole("--limit", "How many; 0 for all", 20, 0);
        var after = new Option<string?>("--after") { Description = "Begin after this id" };
        var oldest = new Option<bool>("--oldest") { Description = "Oldest first instead of newest" };
        var (filter, connection) = (new FilterOptions(time), new FarmConnection());
        var command = new Command("list", "List videos, newest first").WithExamples(
            "list",
            "list --status failed --within 24h",
            "list --worker rack-1 --status in_progress",
            "list --limit 0 --json | jq -r .id"
        );
        foreach (var option in new Option[] { limit, after, oldest, JsonSwitch.Option })
        {
            command.Add(option);
        }

        filter.AddTo(command, connection);
        connection.AddTo(command);
        after.CompleteWith(connection, time, LiveIds.Videos);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var most = parsed.GetValue(limit) is > 0 and var some ? some : int.MaxValue;
                var order = parsed.GetValue(oldest) ? "asc" : "desc";
                var videos = client.PagesAsync("videos", most, parsed.GetValue(after), order, cancellationToken, filter.Query(parsed));
                if (parsed.WantsJson())
                {
                    await foreach (var video in videos)
                    {
                        console.Say(JsonSwitch.Line(video));
                    }

                    return 0;
                }

                var found = new List<Video>();
                await foreach (var video in videos)
                {
                    found.Add(video.Deserialize(FarmJson.Default.Video)!);
                }

                Write(found, await NamesAsync(client, found, cancellationToken), console, time.GetUtcNow());
                return 0;
            }
        );
        return command;
    }

    private static void Write(List<Video> videos, Dictionary<string, string> names, IAnsiConsole console, DateTimeOffset now)
    {
        var table = new PlainTable("id", "status", "%", "model", "size", "frames", "worker", "age", "took", "prompt");
        foreach (var video in videos)
        {
            table.Add(
                video.Id,
                video.Error?.Code ?? Word.Of(video.Status),
                video.Progress.ToString(CultureInfo.InvariantCulture),
                video.Model,
                video.Size,
                video.Frames.ToString(CultureInfo.InvariantCulture),
                video.Worker is { } worker ? names.GetValueOrDefault(worker, worker) : "",
                RenderDisplay.Duration(now - DateTimeOffset.FromUnixTimeSeconds(video.CreatedAt)),
                Took(video),
                video.Prompt.Length > 60 ? video.Prompt[..59] + "…" : video.Prompt
            );
        }

        table.WriteTo(console);
    }

    /// <summary>From the start of its first render to its end.</summary>
    private static string Took(Video video) =>
        video is { CompletedAt: { } end, Usage.QueueSeconds: { } waited }
            ? RenderDisplay.Duration(TimeSpan.FromSeconds(Math.Max(0, end - video.CreatedAt - waited)))
            : "";

    /// <summary>What workers are called, by id; nobody is asked where no video has one.</summary>
    private static async Task<Dictionary<string, string>> NamesAsync(
        FarmClient client,
        List<Video> videos,
        CancellationToken cancellationToken
    ) =>
        videos.TrueForAll(video => video.Worker is null)
            ? []
            : (await client.GetJsonAsync("workers", cancellationToken))
                .GetProperty("data")
                .EnumerateArray()
                .ToDictionary(worker => worker.GetProperty("id").ToString(), worker => worker.GetProperty("name").ToString());
}
