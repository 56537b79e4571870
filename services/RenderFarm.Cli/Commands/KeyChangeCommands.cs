using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>keys edit</c> and <c>keys rotate</c>.</summary>
internal static class KeyChangeCommands
{
    /// <summary>What takes a limit or an end away.</summary>
    private const string None = "none";

    public static IEnumerable<Command> Create(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var verbs = new IdVerbs(run, time);
        yield return Edit(verbs, console, time);
        yield return Rotate(verbs, console);
    }

    private static Command Edit(IdVerbs verbs, IAnsiConsole console, TimeProvider time)
    {
        var name = new Option<string?>("--name") { Description = "Whose key it is" };
        var word = new Option<string?>("--class") { Description = $"What figures are told apart by; {None}: the default one" };
        var ceiling = OptionKinds.OptionalWhole("--priority-ceiling", "The highest priority it may ask for", 0, 100);
        var queued = Limit("--queued", "How many videos may wait");
        var running = Limit("--running", "How many may run at once");
        var perDay = Limit("--per-day", "How many may be submitted a day (UTC)");
        var perMinute = Limit("--requests-per-minute", "How many requests it may send");
        var expires = OrNone("--expires-in", "When it stops working, such as 30d", "AGE", Age.Accepted, text => Age.TryParse(text, out _));
        var command = verbs.Create(
            "edit",
            "Change a key; what is not named stays",
            IdVerbs.One("id", "key_…, as keys list shows it"),
            [LiveIds.Keys],
            async (client, id, parsed, cancellationToken) =>
            {
                var (body, quotas) = (new JsonObject(), new JsonObject());
                Set(body, "class", parsed.GetValue(word), value => value);
                Set(body, "requests_per_minute", parsed.GetValue(perMinute), Number);
                Set(body, "expires_at", parsed.GetValue(expires), value => End(value, time));
                Set(quotas, "queued", parsed.GetValue(queued), Number);
                Set(quotas, "running", parsed.GetValue(running), Number);
                Set(quotas, "per_day", parsed.GetValue(perDay), Number);
                if (parsed.GetValue(name) is { } called)
                {
                    body["name"] = called;
                }

                if (parsed.GetValue(ceiling) is { } most)
                {
                    body["priority_ceiling"] = most;
                }

                if (quotas.Count > 0)
                {
                    body["quotas"] = quotas;
                }

                if (body.Count == 0)
                {
                    throw new FarmException("invalid_option", "say what to change, such as --queued 200");
                }

                var key = await client.SendJsonAsync(
                    HttpMethod.Patch,
                    $"keys/{Uri.EscapeDataString(id)}",
                    () => JsonContent.Create(body, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(key) : $"{key.GetProperty("id")}  {key.GetProperty("name")}");
                return VerbProgram.Done;
            }
        );
        foreach (var option in new Option[] { name, word, ceiling, queued, running, perDay, perMinute, expires })
        {
            command.Add(option);
        }

        return command.WithExamples("keys edit key_019… --queued 200 --per-day none", "keys edit key_019… --expires-in 30d");
    }

    private static Command Rotate(IdVerbs verbs, IAnsiConsole console)
    {
        var overlap = OptionKinds.OptionalAge("--overlap", "How long the old secret goes on; absent: it ends at once");
        var command = verbs.Create(
            "rotate",
            "A new secret for a key, printed this once",
            IdVerbs.One("id", "key_…, as keys list shows it"),
            [LiveIds.Keys],
            async (client, id, parsed, cancellationToken) =>
            {
                var seconds = Age.TryParse(parsed.GetValue(overlap), out var goesOn) ? (long)goesOn.TotalSeconds : 0;
                var key = await client.SendJsonAsync(
                    HttpMethod.Post,
                    $"keys/{Uri.EscapeDataString(id)}/rotate",
                    () => JsonContent.Create(new JsonObject { ["overlap_seconds"] = seconds }, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(key) : key.GetProperty("key").GetString()!);
                return VerbProgram.Done;
            }
        );
        command.Add(overlap);
        return command.WithExamples("keys rotate key_019…", "keys rotate key_019… --overlap 1d");
    }

    private static Option<string?> Limit(string name, string description) =>
        OrNone(
            name,
            description,
            "N",
            "a whole number",
            text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        );

    private static Option<string?> OrNone(string name, string description, string help, string accepted, Func<string, bool> isGood)
    {
        var option = new Option<string?>(name) { Description = $"{description}; {None}: not at all any more", HelpName = help };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var given] && given.Value != None && !isGood(given.Value))
            {
                result.AddError($"{name} is '{given.Value}': it must be {accepted}, or {None}");
            }
        });
        return option;
    }

    private static JsonNode Number(string value) => JsonValue.Create(int.Parse(value, CultureInfo.InvariantCulture));

    private static JsonNode End(string age, TimeProvider time) =>
        JsonValue.Create((time.GetUtcNow() + (Age.TryParse(age, out var left) ? left : default)).ToUnixTimeSeconds());

    private static void Set(JsonObject body, string name, string? value, Func<string, JsonNode?> node)
    {
        if (value is not null)
        {
            body[name] = value == None ? null : node(value);
        }
    }
}
