using System.CommandLine;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Cli.Commands;

/// <summary>Which videos are meant: the same options for lists and for what is done to many. All that are given must hold.</summary>
internal sealed class FilterOptions
{
    private readonly Option<string[]> _status = OptionKinds.Choices(
        "--status",
        "Only videos that are so; may be repeated",
        [.. Enum.GetValues<VideoState>().Select(state => Word.Of(state))]
    );
    private readonly Option<string?> _model = new("--model") { Description = "Only of this model" };
    private readonly Option<string?> _worker = new("--worker") { Description = "Only those that this worker has, or had last: name or id" };
    private readonly Option<string?> _batch = new("--batch") { Description = "Only of this batch" };
    private readonly Option<string?> _error = new("--error") { Description = "Only those that failed with this code, such as gpu_lost" };
    private readonly Option<string[]> _metadata = new("--metadata")
    {
        Description = "Only those with this pair, as NAME=VALUE; may be repeated",
    };
    private readonly Option<string?> _text = new("--text") { Description = "Only those with this in their prompt" };
    private readonly Option<string?> _within = OptionKinds.OptionalAge("--within", "Only those that were submitted so lately");
    private readonly Option<string?> _older = OptionKinds.OptionalAge("--older-than", "Only those that were submitted so long ago");
    private readonly TimeProvider _time;

    public FilterOptions(TimeProvider time)
    {
        _time = time;
        _metadata.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1) is { } wrong)
            {
                result.AddError($"--metadata is '{wrong.Value}': it must be NAME=VALUE, such as shot=12b");
            }
        });
    }

    private IEnumerable<Option> All => [_status, _model, _worker, _batch, _error, _metadata, _text, _within, _older];

    public void AddTo(Command command, FarmConnection connection)
    {
        _model.CompleteWith(connection, _time, LiveIds.Models);
        _worker.CompleteWith(connection, _time, LiveIds.Workers);
        _batch.CompleteWith(connection, _time, LiveIds.Batches);
        foreach (var option in All)
        {
            command.Add(option);
        }
    }

    public bool IsGiven(ParseResult parsed) => All.Any(option => parsed.GetResult(option) is { Implicit: false });

    /// <summary>For the body of a bulk action.</summary>
    public JsonObject Body(ParseResult parsed)
    {
        var body = new JsonObject();
        foreach (var (name, value) in Fields(parsed))
        {
            body[name] = value;
        }

        if (parsed.GetValue(_metadata) is { Length: > 0 } pairs)
        {
            body["metadata"] = new JsonObject(Pairs(pairs).Select(pair => KeyValuePair.Create(pair.Name, (JsonNode?)pair.Value)));
        }

        return body;
    }

    /// <summary>For the address of a list, each with an ampersand before it.</summary>
    public string Query(ParseResult parsed) =>
        string.Concat(
            Fields(parsed)
                .Select(field => (field.Name, Value: field.Value.ToString()))
                .Concat(Pairs(parsed.GetValue(_metadata) ?? []).Select(pair => (Name: $"metadata[{pair.Name}]", pair.Value)))
                .Select(field => $"&{Uri.EscapeDataString(field.Name)}={Uri.EscapeDataString(field.Value)}")
        );

    private IEnumerable<(string Name, JsonNode Value)> Fields(ParseResult parsed)
    {
        if (parsed.GetValue(_status) is { Length: > 0 } states)
        {
            yield return ("status", string.Join(',', states));
        }

        foreach (
            var (name, option) in (IEnumerable<(string, Option<string?>)>)
                [("model", _model), ("worker", _worker), ("batch", _batch), ("error_code", _error), ("text", _text)]
        )
        {
            if (parsed.GetValue(option) is { } value)
            {
                yield return (name, value);
            }
        }

        foreach (
            var (name, option) in (IEnumerable<(string, Option<string?>)>)[("created_after", _within), ("created_before", _older)]
        )
        {
            if (Age.TryParse(parsed.GetValue(option), out var age))
            {
                yield return (name, (_time.GetUtcNow() - age).ToUnixTimeSeconds());
            }
        }
    }

    private static IEnumerable<(string Name, string Value)> Pairs(string[] pairs) =>
        pairs.Select(pair => pair.Split('=', 2)).Select(parts => (parts[0], parts[1]));
}
