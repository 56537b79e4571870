using System.CommandLine;
using System.Net.Http.Headers;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>batch</c>: many videos from one file, all or none; <c>manifest</c>: what became of each.</summary>
internal static class BatchCommand
{
    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        yield return Batch(run, console, time);
        yield return Manifest(run, console, time);
    }

    private static Command Batch(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var file = new Argument<string>("file")
        {
            Description = "JSON Lines, one video request a line; or a matrix, if its name ends in .json; - reads lines from standard input",
        };
        var wait = new Option<bool>("--wait") { Description = "Stay until every video has ended" };
        var output = new Option<string?>("--out", "-o") { Description = "Stay, and download what is completed into this folder" };
        var key = new Option<string?>("--idempotency-key") { Description = "The same key again gives the same batch" };
        var connection = new FarmConnection();
        var command = new Command("batch", "Submit many videos from a file, all or none") { file, wait, output, key, JsonSwitch.Option };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                var (bytes, type) = await ReadAsync(parsed.GetValue(file)!, cancellationToken);
                using var client = connection.Open(parsed, time);
                var answer = await client.SendJsonAsync(
                    HttpMethod.Post,
                    "batches",
                    () => new ByteArrayContent(bytes) { Headers = { ContentType = new MediaTypeHeaderValue(type) } },
                    cancellationToken,
                    parsed.GetValue(key)
                );
                var id = answer.GetProperty("id").GetString()!;
                var folder = parsed.GetValue(output);
                if (!parsed.GetValue(wait) && folder is null)
                {
                    console.Say(parsed.WantsJson() ? JsonSwitch.Line(answer) : id);
                    return 0;
                }
                var code = await Watching.BatchUntilOverAsync(client, id, console, time, parsed.WantsJson(), cancellationToken);
                if (folder is not null)
                {
                    await DownloadCommand.BatchAsync(client, id, Path.GetFullPath(folder), console, parsed.WantsJson(), cancellationToken);
                }

                return code;
            }
        );
        return command.WithExamples(
            "batch prompts.jsonl",
            "batch prompts.jsonl --out clips",
            "batch matrix.json --wait",
            "batch - < prompts.jsonl"
        );
    }

    private static Command Manifest(CommandRunner run, IAnsiConsole console, TimeProvider time) =>
        new IdVerbs(run, time)
            .Create(
                "manifest",
                "Print what became of each line of a batch, as JSON Lines",
                IdVerbs.One("id", "batch_…"),
                [LiveIds.Batches],
                async (client, id, _, cancellationToken) =>
                {
                    await foreach (var line in client.LinesAsync($"batches/{Uri.EscapeDataString(id)}/manifest", cancellationToken))
                    {
                        console.Say(line);
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples(
                "manifest batch_019… > results.jsonl",
                "manifest batch_019… | jq -r 'select(.status==\"failed\").id' | xargs ./farm retry"
            );

    private static async Task<(byte[] Bytes, string Type)> ReadAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            if (file != "-")
            {
                return (
                    await File.ReadAllBytesAsync(file, cancellationToken),
                    file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? "application/json" : "application/jsonl"
                );
            }

            using var copy = new MemoryStream();
            await using var input = Console.OpenStandardInput();
            await input.CopyToAsync(copy, cancellationToken);
            return (copy.ToArray(), "application/jsonl");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FarmException("no_such_file", $"can't read {Path.GetFullPath(file)}: {error.Message}", error);
        }
    }
}
