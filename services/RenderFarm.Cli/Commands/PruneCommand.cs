using System.CommandLine;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>prune</c>: old videos that have ended, and their files.</summary>
internal static class PruneCommand
{
    private static readonly VideoState[] Ended = [VideoState.Completed, VideoState.Failed, VideoState.Cancelled, VideoState.Expired];

    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var olderThan = OptionKinds.Age("--older-than", "Only those that were submitted so long ago", "30d");
        var status = OptionKinds.Choices(
            "--status",
            "Only those that ended so; may be repeated; absent: all that have ended",
            [.. Ended.Select(state => Word.Of(state))]
        );
        var (bulk, connection) = (new BulkVerb("delete", "deleted", console, time), new FarmConnection());
        var command = new Command("prune", "Remove old videos that have ended, and their files: counts them, and does it with --yes")
        {
            olderThan,
            status,
            JsonSwitch.Option,
        };
        bulk.AddYesTo(command);
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                _ = Age.TryParse(parsed.GetValue(olderThan), out var age);
                var chosen = parsed.GetValue(status) is { Length: > 0 } given ? given : [.. Ended.Select(state => Word.Of(state))];
                using var client = connection.Open(parsed, time);
                return await bulk.RunAsync(
                    client,
                    new JsonObject
                    {
                        ["status"] = string.Join(',', chosen),
                        ["created_before"] = (time.GetUtcNow() - age).ToUnixTimeSeconds(),
                    },
                    parsed,
                    cancellationToken
                );
            }
        );
        return command.WithExamples("prune", "prune --older-than 90d --status failed --yes");
    }
}
