using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>artifacts</c>: for administrators, what is stored and belongs to nothing.</summary>
internal static class ArtifactsCommand
{
    private const int Page = 1_000;

    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var audit = Audit(run, console, time);
        return new Command("artifacts", "Stored objects") { audit }.WithExamples(
            "artifacts audit",
            "artifacts audit --older-than 30d --apply"
        );
    }

    private static Command Audit(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var olderThan = OptionKinds.Age("--older-than", "Only what has been stored for so long", "7d");
        var apply = new Option<bool>("--apply") { Description = "Remove what is listed; absent: list it" };
        var connection = new FarmConnection();
        var command = new Command(
            "audit",
            "Stored objects that no row knows of. After a restore of the database one may be the only copy of a video: look before --apply"
        )
        {
            olderThan,
            apply,
            JsonSwitch.Option,
        }.WithExamples("artifacts audit", "artifacts audit --older-than 30d", "artifacts audit --older-than 30d --apply");
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var age = parsed.GetValue(olderThan);
                var (count, bytes) = parsed.GetValue(apply)
                    ? await RemoveAsync(client, age!, parsed, console, cancellationToken)
                    : await ListAsync(client, age!, parsed, console, cancellationToken);
                if (!parsed.WantsJson())
                {
                    console.Say(
                        count == 0
                            ? $"Every stored object older than {age} belongs to a row."
                            : $"{(parsed.GetValue(apply) ? "Removed" : "Unclaimed")}: {count} objects, {Size(bytes)}."
                                + (parsed.GetValue(apply) ? "" : " --apply removes them.")
                    );
                }

                return 0;
            }
        );
        return command;
    }

    private static async Task<(long Count, long Bytes)> ListAsync(
        FarmClient client,
        string age,
        ParseResult parsed,
        IAnsiConsole console,
        CancellationToken cancellationToken
    )
    {
        var (count, bytes, after) = (0L, 0L, "");
        while (true)
        {
            var page = await client.GetJsonAsync(
                $"audit/artifacts?older_than={age}&limit={Page}{(after.Length == 0 ? "" : $"&after={Uri.EscapeDataString(after)}")}",
                cancellationToken
            );
            Show(page, parsed, console, ref count, ref bytes);
            if (!page.GetProperty("has_more").GetBoolean())
            {
                return (count, bytes);
            }

            after = page.GetProperty("last_id").GetString()!;
        }
    }

    private static async Task<(long Count, long Bytes)> RemoveAsync(
        FarmClient client,
        string age,
        ParseResult parsed,
        IAnsiConsole console,
        CancellationToken cancellationToken
    )
    {
        var (count, bytes) = (0L, 0L);
        while (true)
        {
            var page = await client.SendJsonAsync(
                HttpMethod.Delete,
                $"audit/artifacts?older_than={age}&limit={Page}",
                null,
                cancellationToken
            );
            Show(page, parsed, console, ref count, ref bytes);
            if (!page.GetProperty("has_more").GetBoolean())
            {
                return (count, bytes);
            }
        }
    }

    private static void Show(JsonElement page, ParseResult parsed, IAnsiConsole console, ref long count, ref long bytes)
    {
        foreach (var stored in page.GetProperty("data").EnumerateArray())
        {
            count++;
            bytes += stored.GetProperty("size_bytes").GetInt64();
            var modified = DateTimeOffset.FromUnixTimeSeconds(stored.GetProperty("last_modified").GetInt64());
            console.Say(
                parsed.WantsJson()
                    ? JsonSwitch.Line(stored)
                    : $"{modified.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}  "
                        + $"{Size(stored.GetProperty("size_bytes").GetInt64()),10}  {stored.GetProperty("key").GetString()}"
            );
        }
    }

    private static string Size(long bytes) =>
        bytes < 1 << 20
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.0} MiB");
}
