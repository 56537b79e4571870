using System.CommandLine;
using RenderFarm.Verbs;

namespace RenderFarm.Chaos;

/// <summary>What a run was asked for.</summary>
internal sealed record ChaosOptions
{
    public required int Faults { get; init; }
    public required int Seed { get; init; }
    public required bool IsStub { get; init; }
    public required TimeSpan Spacing { get; init; }
    public required string Home { get; init; }
    public required bool PlanOnly { get; init; }
    public required bool Figures { get; init; }

    /// <summary>Null: all of them.</summary>
    public string? Part { get; init; }

    /// <summary>How long API, database and network are away in the part of that name.</summary>
    public required TimeSpan Away { get; init; }

    public static ChaosOptions Of(ParseResult parsed, ChaosVerb verb) =>
        new()
        {
            Faults = parsed.GetValue(verb.Faults),
            Seed = parsed.GetValue(verb.Seed),
            IsStub = parsed.GetValue(verb.Renderer) == "stub",
            Spacing = TimeSpan.FromSeconds(parsed.GetValue(verb.Spacing)),
            Home = Path.GetFullPath(
                parsed.GetValue(verb.Home) ?? Path.Combine(Path.GetTempPath(), $"renderfarm-chaos-{Environment.ProcessId}")
            ),
            PlanOnly = parsed.GetValue(verb.PlanOnly),
            Figures = parsed.GetValue(verb.Figures),
            Part = parsed.GetValue(verb.Part),
            Away = TimeSpan.FromMinutes(parsed.GetValue(verb.AwayMinutes)),
        };
}
