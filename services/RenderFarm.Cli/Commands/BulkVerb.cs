using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>A verb done to all videos of a filter: counted first, and done with <c>--yes</c> if there are as many still.</summary>
/// <param name="action">As the farm calls it.</param>
/// <param name="done">What has become of a video then: <c>cancelled</c>.</param>
internal sealed class BulkVerb(string action, string done, IAnsiConsole console, TimeProvider time)
{
    private readonly FilterOptions _filter = new(time);
    private readonly Option<bool> _all = new("--all") { Description = "Every video; no filter is named then" };
    private readonly Option<bool> _yes = new("--yes") { Description = "Do it; absent: count those of the filter, and do nothing" };

    public void AddTo(Command command, FarmConnection connection)
    {
        _filter.AddTo(command, connection);
        command.Add(_all);
        command.Add(_yes);
    }

    /// <summary>Whether it is for many: no id is named, but which videos are meant.</summary>
    public bool IsFor(ParseResult parsed, string[] ids)
    {
        var (isFilter, isAll) = (_filter.IsGiven(parsed), parsed.GetValue(_all));
        return (ids.Length > 0, isFilter, isAll) switch
        {
            (true, false, false) => false,
            (false, true, false) or (false, false, true) => true,
            (false, false, false) => throw Wrong("name a video, or say which are meant: --status failed, --batch batch_019…, --all"),
            _ => throw Wrong("name videos, or a filter, or --all: one of the three"),
        };
    }

    /// <summary>A switch alone, for a verb that knows by itself which videos are meant.</summary>
    public void AddYesTo(Command command) => command.Add(_yes);

    public Task<int> RunAsync(FarmClient client, ParseResult parsed, CancellationToken cancellationToken) =>
        RunAsync(client, _filter.Body(parsed), parsed, cancellationToken);

    public async Task<int> RunAsync(FarmClient client, JsonObject filter, ParseResult parsed, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["action"] = action };
        body[filter.Count == 0 ? "all" : "filter"] = filter.Count == 0 ? true : filter;
        var isMeant = parsed.GetValue(_yes);
        var counted = await SendAsync(client, body, "dry_run", true, cancellationToken);
        var matched = counted.GetProperty("matched").GetInt32();
        if (!isMeant || matched == 0)
        {
            console.Say(
                parsed.WantsJson() ? JsonSwitch.Line(counted)
                : matched == 0 ? $"No video to be {done}."
                : $"{Videos(matched)} would be {done}; --yes does it."
            );
            return VerbProgram.Done;
        }

        var answer = await SendAsync(client, body, "expected", matched, cancellationToken);
        if (parsed.WantsJson())
        {
            console.Say(JsonSwitch.Line(answer));
        }
        else
        {
            console.Say($"{answer.GetProperty("done")} of {Videos(matched)} {done}.");
            foreach (var failed in answer.GetProperty("failed").EnumerateArray())
            {
                console.Say($"{failed.GetProperty("id")}  {failed.GetProperty("code")}");
            }
        }

        return answer.GetProperty("failed").GetArrayLength() == 0 ? VerbProgram.Done : VerbProgram.Failed;
    }

    private static Task<JsonElement> SendAsync(
        FarmClient client,
        JsonObject body,
        string name,
        JsonNode value,
        CancellationToken cancellationToken
    )
    {
        var asked = (JsonObject)body.DeepClone();
        asked[name] = value;
        return client.SendJsonAsync(
            HttpMethod.Post,
            "videos/bulk",
            () => JsonContent.Create(asked, FarmJson.Default.JsonObject),
            cancellationToken
        );
    }

    private static string Videos(int count) => count == 1 ? "1 video" : $"{count} videos";

    private static FarmException Wrong(string message) => new("invalid_option", message);
}
