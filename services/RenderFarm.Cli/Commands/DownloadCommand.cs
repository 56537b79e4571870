using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>download</c>: a finished video, or all that are finished of a batch.</summary>
internal static class DownloadCommand
{
    private const string WholeVideo = "video";

    /// <summary>Where <c>render</c> and <c>demo</c> put what they made.</summary>
    public static Option<string?> File() =>
        new("--out", "-o") { Description = "The MP4 to write; absent: out.mp4, and where that is taken out-2.mp4 …" };

    /// <summary>The same for all that write one.</summary>
    public static Option<bool> Force() => new("--force") { Description = "Replace a file that is there" };

    public static Command Create(IdVerbs verbs, IAnsiConsole console)
    {
        var output = new Option<string?>("--out", "-o")
        {
            Description = "The file to write, of a batch the folder; absent for its id",
        };
        var variant = OptionKinds.Choice("--variant", "Which file", WholeVideo, WholeVideo, "thumbnail", "spritesheet");
        var force = Force();
        var command = verbs.Create(
            "download",
            "Download a finished video, or those of a batch",
            IdVerbs.One("id", "The video or batch"),
            [LiveIds.CompletedVideos, LiveIds.Batches],
            async (client, id, parsed, cancellationToken) =>
            {
                var (named, kind) = (parsed.GetValue(output), parsed.GetValue(variant)!);
                if (BatchStatus.IsId(id))
                {
                    await BatchAsync(client, id, Path.GetFullPath(named ?? id), console, parsed.WantsJson(), cancellationToken, kind);
                    return VerbProgram.Done;
                }

                var file = named is null ? OutputFile.Named(NameOf(id, kind)) : OutputFile.Chosen(named, parsed.GetValue(force));
                await client.DownloadAsync(id, file, cancellationToken, kind);
                Say(console, id, file, parsed.WantsJson());
                return VerbProgram.Done;
            }
        );
        command.Add(output);
        command.Add(variant);
        command.Add(force);
        return command.WithExamples(
            "download video_019… -o ball.mp4",
            "download video_019… --variant spritesheet",
            "download batch_019… -o clips"
        );
    }

    /// <summary>Every completed video of a batch, named by line and id: names sort as the lines do.</summary>
    public static async Task BatchAsync(
        FarmClient client,
        string id,
        string folder,
        IAnsiConsole console,
        bool asJson,
        CancellationToken cancellationToken,
        string kind = WholeVideo
    )
    {
        await foreach (var text in client.LinesAsync($"{FarmClient.Of(id)}/manifest", cancellationToken))
        {
            using var line = JsonDocument.Parse(text);
            if (line.RootElement.GetProperty("status").GetString() != Word.Of(VideoStatus.Completed))
            {
                continue;
            }

            var video = line.RootElement.GetProperty("id").GetString()!;
            var name = FormattableString.Invariant($"{line.RootElement.GetProperty("line").GetInt32():00000}-{NameOf(video, kind)}");
            var file = OutputFile.Named(Path.Combine(folder, name));
            await client.DownloadAsync(video, file, cancellationToken, kind);
            Say(console, video, file, asJson);
        }
    }

    private static string NameOf(string id, string kind) => kind == WholeVideo ? $"{id}.mp4" : $"{id}-{kind}.webp";

    private static void Say(IAnsiConsole console, string id, OutputFile file, bool asJson) =>
        console.Say(asJson ? new JsonObject { ["id"] = id, ["file"] = file.FullPath }.ToJsonString(FarmJson.Plain.Options) : file.FullPath);
}
