using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>workers</c>, <c>drain</c> and <c>resume</c>: who renders, and taking a host out of service and back, or out of the farm.
/// </summary>
internal static class WorkerCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var verbs = new IdVerbs(run, time);
        var workers = List(run, console, time, "workers", "Workers and what they hold; who may come, and who has to go");
        workers.Add(List(run, console, time, "list", "List workers and what they hold").WithExamples("workers list"));
        workers.Add(Show(verbs, console));
        workers.Add(Rename(verbs, console));
        workers.Add(Revoke(verbs, console));
        foreach (var verb in InvitationCommands.Create(run, verbs, console, time))
        {
            workers.Add(verb);
        }

        yield return workers.WithExamples(
            "workers",
            "workers invite",
            "workers --json | jq -r 'select(.status==\"gone\").name'"
        );
        yield return Drain(verbs, console, time);
        yield return Resume(verbs, console);
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time, string name, string description)
    {
        var connection = new FarmConnection();
        var command = new Command(name, description) { JsonSwitch.Option };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var list = await client.GetJsonAsync("workers", cancellationToken);
                var workers = list.GetProperty("data");
                if (parsed.WantsJson())
                {
                    foreach (var worker in workers.EnumerateArray())
                    {
                        console.Say(JsonSwitch.Line(worker));
                    }

                    return 0;
                }
                var table = new PlainTable("name", "status", "slots", "rates", "models", "holds");
                foreach (var worker in workers.EnumerateArray())
                {
                    table.Add(
                        Text(worker, "name"),
                        Text(worker, "status"),
                        Slots(worker),
                        Rates(worker),
                        string.Join(' ', worker.GetProperty("models").EnumerateArray()),
                        Held(worker)
                    );
                }

                table.WriteTo(console);
                foreach (var worker in workers.EnumerateArray().Where(worker => Text(worker, "warning").Length > 0))
                {
                    console.Say($"warning: {Text(worker, "id")}: {Text(worker, "warning")}");
                }

                foreach (var line in workers.EnumerateArray().SelectMany(Quarantines).Concat(Unheld(list)))
                {
                    console.Say(line);
                }

                return 0;
            }
        );
        return command;
    }

    private static Command Show(IdVerbs verbs, IAnsiConsole console) =>
        verbs
            .Create(
                "show",
                "One worker: where it is, what it has and what it holds",
                Named,
                [LiveIds.Workers],
                async (client, named, parsed, cancellationToken) =>
                {
                    var worker = await client.GetJsonAsync(await AddressOfAsync(client, named, cancellationToken), cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(worker));
                        return VerbProgram.Done;
                    }

                    PlainSheet.Write(
                        console,
                        ("id", Text(worker, "id")),
                        ("name", Text(worker, "name")),
                        ("host", Text(worker, "host")),
                        ("version", Text(worker, "version")),
                        ("status", Text(worker, "status")),
                        ("slots", Slots(worker)),
                        ("models", string.Join(' ', worker.GetProperty("models").EnumerateArray())),
                        ("holds", Held(worker)),
                        ("registered", Moment.OfUnixSeconds(worker.GetProperty("registered_at").GetInt64())),
                        ("last heard of", Moment.OfUnixSeconds(worker.GetProperty("seen_at").GetInt64())),
                        ("warning", Text(worker, "warning"))
                    );
                    foreach (var line in Quarantines(worker))
                    {
                        console.Say(line);
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples("workers show rack-1", "workers show rack-1 --json | jq .slots");

    private static Command Rename(IdVerbs verbs, IAnsiConsole console)
    {
        var name = new Argument<string>("new-name") { Description = "What it is called from now on" };
        var command = verbs.Create(
            "rename",
            "Call a worker something else, whatever it calls itself",
            Named,
            [LiveIds.Workers],
            async (client, named, parsed, cancellationToken) =>
            {
                var body = new JsonObject { ["name"] = parsed.GetValue(name) };
                var worker = await client.SendJsonAsync(
                    HttpMethod.Patch,
                    await AddressOfAsync(client, named, cancellationToken),
                    () => JsonContent.Create(body, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(worker) : $"{Text(worker, "id")}  {Text(worker, "name")}");
                return VerbProgram.Done;
            }
        );
        command.Add(name);
        return command.WithExamples("workers rename rack-1 rack-7");
    }

    private static Command Revoke(IdVerbs verbs, IAnsiConsole console) =>
        verbs
            .Create(
                "revoke",
                "A worker leaves the farm for good: its key is dead within 15 s, what it holds goes to another",
                Named,
                [LiveIds.Workers],
                async (client, named, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(
                        HttpMethod.Delete,
                        await AddressOfAsync(client, named, cancellationToken),
                        null,
                        cancellationToken
                    );
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(answer));
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples("workers revoke rack-1");

    private static Argument<string> Named => IdVerbs.One("worker", "Its name or id");

    private static Command Drain(IdVerbs verbs, IAnsiConsole console, TimeProvider time)
    {
        var wait = new Option<bool>("--wait") { Description = "Until it holds nothing any more" };
        var command = verbs.Create(
            "drain",
            "Give a worker no new jobs; running ones finish",
            Named,
            [LiveIds.Workers],
            async (client, named, parsed, cancellationToken) =>
            {
                var address = await AddressOfAsync(client, named, cancellationToken);
                var worker = await client.SendJsonAsync(HttpMethod.Post, $"{address}/drain", null, cancellationToken);
                for (
                    var said = "";
                    parsed.GetValue(wait) && worker.GetProperty("held").GetArrayLength() > 0;
                    worker = await client.GetJsonAsync(address, cancellationToken)
                )
                {
                    if (!parsed.WantsJson() && Held(worker) is var holds && holds != said)
                    {
                        console.Say($"{Text(worker, "name")} still holds {said = holds}");
                    }

                    await Task.Delay(LookEvery, time, cancellationToken);
                }
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(worker) : $"{Text(worker, "name")}  {Text(worker, "status")}");
                return VerbProgram.Done;
            }
        );
        command.Add(wait);
        return command.WithExamples("drain rack-1", "drain rack-1 --wait && ssh rack-1 sudo reboot");
    }

    private static Command Resume(IdVerbs verbs, IAnsiConsole console)
    {
        var slot = new Option<string?>("--slot") { Description = "Only the quarantine of this slot, such as gpu0" };
        var command = verbs.Create(
            "resume",
            "Give a drained worker, or slots in quarantine, jobs again",
            Named,
            [LiveIds.Workers],
            async (client, named, parsed, cancellationToken) =>
            {
                var address = await AddressOfAsync(client, named, cancellationToken);
                Func<HttpContent>? fields = parsed.GetValue(slot) is { } one
                    ? () => JsonContent.Create(new JsonObject { ["slot"] = one }, FarmJson.Default.JsonObject)
                    : null;
                var worker = await client.SendJsonAsync(HttpMethod.Post, $"{address}/resume", fields, cancellationToken);
                if (parsed.WantsJson())
                {
                    console.Say(JsonSwitch.Line(worker));
                    return VerbProgram.Done;
                }

                console.Say($"{Text(worker, "name")}  {Text(worker, "status")}");
                foreach (var line in Quarantines(worker))
                {
                    console.Say($"{line} (it looks again within seconds: see workers)");
                }

                return VerbProgram.Done;
            }
        );
        command.Add(slot);
        return command.WithExamples("resume rack-1", "resume rack-1 --slot gpu0");
    }

    private static async Task<string> AddressOfAsync(FarmClient client, string named, CancellationToken cancellationToken) =>
        $"workers/{Uri.EscapeDataString(await IdOfAsync(client, named, cancellationToken))}";

    private static async Task<string> IdOfAsync(FarmClient client, string named, CancellationToken cancellationToken)
    {
        var workers = (await client.GetJsonAsync("workers", cancellationToken)).GetProperty("data").EnumerateArray().ToList();
        var called = workers.Where(worker => Text(worker, "id") == named).ToList();
        if (called.Count == 0)
        {
            // A name is a label: one that a worker had who is gone may be another's now
            var all = workers.Where(worker => Text(worker, "name") == named).ToList();
            called = all.Where(IsThere).ToList() is { Count: > 0 } there ? there : all;
        }

        return called switch
        {
            [var one] => Text(one, "id"),
            [] => throw new FarmException(
                "not_found",
                $"there is no worker '{named}'; there are {string.Join(", ", workers.Select(worker => Text(worker, "name")))}"
            )
            {
                Status = 404,
            },
            _ => throw new FarmException(
                "invalid_value",
                $"{called.Count} workers are named '{named}'; say which by its id: "
                    + string.Join(", ", called.Select(worker => $"{Text(worker, "id")} (host {Text(worker, "host")})"))
            ),
        };
    }

    /// <summary>Neither silent nor stopped.</summary>
    internal static bool IsThere(JsonElement worker) =>
        Text(worker, "status") is var status && status != Word.Of(WorkerStatus.Gone) && status != Word.Of(WorkerStatus.Stopped);

    private static string Slots(JsonElement worker) =>
        string.Join(
            ", ",
            worker
                .GetProperty("slots")
                .EnumerateArray()
                .Select(slot =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Text(slot, "card")} {Gibibytes.Of(slot.GetProperty("total_bytes").GetInt64()):0} GiB"
                    )
                )
        );

    /// <summary>One word where all slots are alike.</summary>
    private static string Rates(JsonElement worker) =>
        string.Join(", ", worker.GetProperty("slots").EnumerateArray().Select(slot => Text(slot, "rates")) switch
        {
            var all when all.Distinct().Take(2).Count() == 1 => all.Take(1),
            var all => all,
        });

    private static IEnumerable<string> Quarantines(JsonElement worker) =>
        worker
            .GetProperty("slots")
            .EnumerateArray()
            .Where(slot => slot.TryGetProperty("quarantine", out var quarantine) && quarantine.ValueKind == JsonValueKind.Object)
            .Select(slot => (Id: Text(slot, "id"), Quarantine: slot.GetProperty("quarantine")))
            .Select(slot =>
                $"{Text(worker, "name")}, slot {slot.Id}, takes no jobs since "
                + $"{Moment.OfUnixSeconds(slot.Quarantine.GetProperty("since").GetInt64())}, says the {Text(slot.Quarantine, "by")}: "
                + Text(slot.Quarantine, "reason")
            );

    private static IEnumerable<string> Unheld(JsonElement list) =>
        list.TryGetProperty("unheld", out var models)
            ? models
                .EnumerateArray()
                .Select(model =>
                    $"no connected worker has model {Text(model, "model")} whole, and {Text(model, "queued")} videos wait for it: "
                    + "see models"
                )
            : [];

    private static string Held(JsonElement worker) =>
        string.Join(
            ", ",
            worker
                .GetProperty("held")
                .EnumerateArray()
                .Select(held =>
                    $"{(Text(held, "video_id") is { Length: > 0 } id ? id : "another key's video")} "
                    + $"({Text(held, "stage").Replace('_', ' ')})"
                )
        );

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var member) ? member.ToString() : "";
}
