using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>workers invite</c>, <c>invitations</c> and <c>withdraw</c>: who may come to the farm.</summary>
internal static class InvitationCommands
{
    public static IEnumerable<Command> Create(CommandRunner run, IdVerbs verbs, IAnsiConsole console, TimeProvider time) =>
        [Invite(run, console, time), List(run, console, time), Withdraw(verbs, console)];

    private static Command Invite(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var expires = OptionKinds.Age("--expires", "How long the invitation is good", "1h");
        var uses = OptionKinds.Whole("--uses", "How many workers may come by it", 1, 1, 100);
        var name = new Option<string?>("--name") { Description = "What the worker will be called (else what it calls itself)" };
        var connection = new FarmConnection();
        var command = new Command("invite", "Print one line with which another machine joins: ./farm worker --join 'LINE'")
        {
            expires,
            uses,
            name,
            JsonSwitch.Option,
        };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                _ = Age.TryParse(parsed.GetValue(expires), out var lasts);
                var body = new JsonObject { ["expires_in"] = (long)lasts.TotalSeconds, ["uses"] = parsed.GetValue(uses) };
                if (parsed.GetValue(name) is { } called)
                {
                    body["name"] = called;
                }

                using var client = connection.Open(parsed, time);
                var invitation = await client.SendJsonAsync(
                    HttpMethod.Post,
                    "workers/invitations",
                    () => JsonContent.Create(body, FarmJson.Default.JsonObject),
                    cancellationToken
                );
                console.Say(parsed.WantsJson() ? JsonSwitch.Line(invitation) : Join(invitation));
                if (Uri.TryCreate(Join(invitation), UriKind.Absolute, out var join) && join.IsLoopback)
                {
                    await run.NoteAsync(
                        $"{join.Host} leads to this machine alone. Another one can join when the farm is open to a network: "
                            + "./farm up --listen 0.0.0.0:8080 --tls auto"
                    );
                }

                return VerbProgram.Done;
            }
        );
        return command.WithExamples("workers invite", "workers invite --expires 1d --uses 3", "workers invite --name rack-7");
    }

    private static Command List(CommandRunner run, IAnsiConsole console, TimeProvider time)
    {
        var connection = new FarmConnection();
        var command = new Command("invitations", "Invitations that are good now") { JsonSwitch.Option };
        connection.AddTo(command);
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                using var client = connection.Open(parsed, time);
                var invitations = (await client.GetJsonAsync("workers/invitations", cancellationToken)).GetProperty("data");
                if (parsed.WantsJson())
                {
                    foreach (var invitation in invitations.EnumerateArray())
                    {
                        console.Say(JsonSwitch.Line(invitation));
                    }

                    return VerbProgram.Done;
                }

                var table = new PlainTable("id", "for", "uses left", "good until");
                foreach (var invitation in invitations.EnumerateArray())
                {
                    table.Add(
                        invitation.GetProperty("id").GetString()!,
                        invitation.GetProperty("name").GetString() ?? "any name",
                        invitation.GetProperty("uses_left").ToString(),
                        Moment.OfUnixSeconds(invitation.GetProperty("expires_at").GetInt64())
                    );
                }

                table.WriteTo(console);
                return VerbProgram.Done;
            }
        );
        return command.WithExamples("workers invitations");
    }

    private static Command Withdraw(IdVerbs verbs, IAnsiConsole console) =>
        verbs
            .Create(
                "withdraw",
                "Nobody comes by this invitation any more; who has come stays",
                IdVerbs.One("invitation", "Its id, from workers invitations"),
                [LiveIds.Invitations],
                async (client, id, parsed, cancellationToken) =>
                {
                    var answer = await client.SendJsonAsync(
                        HttpMethod.Delete,
                        $"workers/invitations?id={Uri.EscapeDataString(id)}",
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
            .WithExamples("workers withdraw invitation_1f0c");

    private static string Join(JsonElement invitation) => invitation.GetProperty("join").GetString()!;
}
