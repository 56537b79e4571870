using System.CommandLine;
using RenderFarm.Verbs.Bench;

namespace RenderFarm.Benchmarks.Api;

/// <summary>What <c>bench api</c> was asked to measure.</summary>
internal sealed record ApiOptions
{
    public required IReadOnlyList<string> Parts { get; init; }
    public required TimeSpan Time { get; init; }
    public double? Rate { get; init; }
    public required int Rows { get; init; }
    public required int Jobs { get; init; }
    public required double Minutes { get; init; }

    public static ApiOptions Of(ParseResult parsed, ApiVerb verb) =>
        new()
        {
            Parts = parsed.GetValue(verb.Part) is { Length: > 0 } parts ? parts : ApiVerb.Parts,
            Time = TimeSpan.FromSeconds(parsed.GetValue(verb.Seconds)),
            Rate = parsed.GetValue(verb.Rate),
            Rows = parsed.GetValue(verb.Rows),
            Jobs = parsed.GetValue(verb.Jobs),
            Minutes = parsed.GetValue(verb.Minutes),
        };
}
