using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Folders;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>keys</c>: the key that this machine's farm made for itself, and, for administrators, everybody's.</summary>
internal static class KeysCommand
{
    private static readonly string[] Scopes = ["submit", "read", "admin", "worker"];

    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var show = new Command("show", "Print the secret of the local farm's first key, alone on its line").WithExamples(
            "keys show",
            "keys show | ./farm login http://127.0.0.1:8080"
        );
        run.Run(
            show,
            (_, _) =>
            {
                console.Say(KeysFile.Read(FarmHome.FromEnvironment().Keys).AdminKey);
                return Task.FromResult(0);
            }
        );
        var keys = new Command("keys", "API keys")
        {
            show,
            List(run, console, time),
            Inspect(run, console, time),
            Make(run, console, time),
            Revoke(run, console, time),
        };
        foreach (var verb in KeyChangeCommands.Create(run, console, time))
        {
            keys.Add(verb);
        }

        return keys.WithExamples("keys list", "keys create studio --queued 200", "keys rotate key_019… --overlap 1d");
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var connection = new FarmConnection();
        var command = new Command("list", "Keys, their limits and what they use of them") { JsonSwitch.Option }.WithExamples(
            "keys list",
            "keys list --json"
        );
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var keys = (await client.GetJsonAsync("keys", cancellationToken)).GetProperty("data");
                if (parsed.WantsJson())
                {
                    foreach (var key in keys.EnumerateArray())
                    {
                        console.Say(JsonSwitch.Line(key));
                    }

                    return 0;
                }
                var table = new PlainTable("id", "name", "scopes", "priority", "queued", "running", "today");
                foreach (var key in keys.EnumerateArray())
                {
                    table.Add(
                        key.GetProperty("id").ToString(),
                        key.GetProperty("name").ToString(),
                        string.Join(' ', key.GetProperty("scopes").EnumerateArray()),
                        $"≤ {key.GetProperty("priority_ceiling")}",
                        Use(key, "queued", "queued"),
                        Use(key, "running", "running"),
                        Use(key, "today", "per_day")
                    );
                }
                table.WriteTo(console);
                return 0;
            }
        );
        return command;
    }

    private static Command Inspect(CommandRunner run, IAnsiConsole console, TimeProvider time) =>
        new IdVerbs(run, time)
            .Create(
                "inspect",
                "One key: its scopes, its limits, what it uses of them; never its secret",
                IdVerbs.One("id", "key_…, as keys list shows it"),
                [LiveIds.Keys],
                async (client, id, parsed, cancellationToken) =>
                {
                    var key = await client.GetJsonAsync($"keys/{Uri.EscapeDataString(id)}", cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(key));
                        return VerbProgram.Done;
                    }
                    PlainSheet.Write(
                        console,
                        ("id", key.GetProperty("id").ToString()),
                        ("name", key.GetProperty("name").ToString()),
                        ("scopes", string.Join(' ', key.GetProperty("scopes").EnumerateArray())),
                        ("priority", $"≤ {key.GetProperty("priority_ceiling")}"),
                        ("queued", Use(key, "queued", "queued")),
                        ("running", Use(key, "running", "running")),
                        ("today", Use(key, "today", "per_day")),
                        ("requests a minute", key.GetProperty("requests_per_minute").ToString()),
                        ("made", Moment.OfUnixSeconds(key.GetProperty("created_at").GetInt64()))
                    );
                    return VerbProgram.Done;
                }
            )
            .WithExamples("keys inspect key_019…", "keys inspect key_019… --json | jq .quotas");

    private static Command Make(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var name = new Argument<string>("name") { Description = "Whose key it is" };
        var scopes = OptionKinds.Choices("--scope", "May be repeated; absent: submit and read", Scopes);
        var ceiling = OptionKinds.OptionalWhole("--priority-ceiling", "The highest priority it may ask for", 0);
        var queued = OptionKinds.OptionalWhole("--queued", "How many videos may wait", 0);
        var running = OptionKinds.OptionalWhole("--running", "How many may run at once", 0);
        var perDay = OptionKinds.OptionalWhole("--per-day", "How many may be submitted a day (UTC)", 0);
        var perMinute = OptionKinds.OptionalWhole("--requests-per-minute", "How many requests it may send", 0);
        var word = new Option<string?>("--class") { Description = "What figures are told apart by" };
        var expires = OptionKinds.OptionalAge("--expires-in", "When it stops working; absent: never");
        var connection = new FarmConnection();
        var command = new Command("create", "Make a key; its secret is printed this once")
        {
            name,
            scopes,
            ceiling,
            queued,
            running,
            perDay,
            perMinute,
            word,
            expires,
            JsonSwitch.Option,
        };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                var body = new JsonObject { ["name"] = parsed.GetValue(name), ["quotas"] = new JsonObject() };
                if (parsed.GetValue(scopes) is { Length: > 0 } chosen)
                {
                    body["scopes"] = new JsonArray([.. chosen.Select(scope => (JsonNode)scope)]);
                }

                Set(body, "priority_ceiling", parsed.GetValue(ceiling));
                Set(body, "requests_per_minute", parsed.GetValue(perMinute));
                if (parsed.GetValue(word) is { } called)
                {
                    body["class"] = called;
                }

                if (Age.TryParse(parsed.GetValue(expires), out var left))
                {
                    body["expires_at"] = (time.GetUtcNow() + left).ToUnixTimeSeconds();
                }

                Set(body["quotas"]!, "queued", parsed.GetValue(queued));
                Set(body["quotas"]!, "running", parsed.GetValue(running));
                Set(body["quotas"]!, "per_day", parsed.GetValue(perDay));
                using var client = connection.Open(parsed, time);
                var key = await client.SendJsonAsync(
                    HttpMethod.Post,
                    "keys",
                    () => JsonContent.Create(body, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(key) : key.GetProperty("key").GetString()!);
                return 0;
            }
        );
        return command.WithExamples("keys create studio --queued 200 --running 4 --per-day 1000", "keys create rack-7 --scope worker");
    }

    private static Command Revoke(CommandRunner run, IAnsiConsole console, TimeProvider time) =>
        new IdVerbs(run, time)
            .Create(
                "revoke",
                "A key stops working; its videos stay",
                IdVerbs.One("id", "key_…, as keys list shows it"),
                [LiveIds.Keys],
                async (client, id, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(HttpMethod.Delete, $"keys/{Uri.EscapeDataString(id)}", null, cancellationToken);
                    if (parsed.WantsJson())
                    {
                        console.Say(JsonSwitch.Line(answer));
                    }

                    return VerbProgram.Done;
                }
            )
            .WithExamples("keys revoke key_019…");

    private static string Use(JsonElement key, string use, string quota)
    {
        var used = key.GetProperty("usage").GetProperty(use);
        var limit = key.GetProperty("quotas").GetProperty(quota);
        return limit.ValueKind == JsonValueKind.Number ? $"{used} of {limit}" : $"{used}";
    }

    private static void Set(JsonNode node, string name, int? value)
    {
        if (value is { } given)
        {
            node[name] = given;
        }
    }
}
