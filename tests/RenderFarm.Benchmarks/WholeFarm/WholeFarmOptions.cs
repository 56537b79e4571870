using System.CommandLine;
using RenderFarm.Verbs.Bench;

namespace RenderFarm.Benchmarks.WholeFarm;

/// <summary>What <c>farm</c> is asked to run.</summary>
internal sealed record WholeFarmOptions
{
    public required IReadOnlyList<string> Parts { get; init; }

    /// <summary>Null: made for this run and removed.</summary>
    public required string? Models { get; init; }
    public required string Model { get; init; }
    public required (int Width, int Height) Size { get; init; }
    public required int Frames { get; init; }
    public required int Steps { get; init; }
    public required int Jobs { get; init; }
    public required double LeftGibibytes { get; init; }
    public required string Slots { get; init; }
    public required bool Standby { get; init; }
    public required TimeSpan Budget { get; init; }
    public required string? After { get; init; }

    public bool OnCard => Slots != "cpu";

    public static WholeFarmOptions Of(ParseResult parsed, FarmVerb verb) =>
        new()
        {
            Parts = parsed.GetValue(verb.Part) is { Length: > 0 } asked ? [.. FarmVerb.Parts.Where(asked.Contains)] : FarmVerb.Parts,
            Models = parsed.GetValue(verb.Models) is { } folder ? Path.GetFullPath(folder) : null,
            Model = parsed.GetRequiredValue(verb.Model),
            Size = parsed.GetValue(verb.Size) ?? (832, 480),
            Frames = parsed.GetValue(verb.Frames),
            Steps = parsed.GetValue(verb.Steps),
            Jobs = parsed.GetValue(verb.Jobs),
            LeftGibibytes = parsed.GetValue(verb.Left),
            Slots = parsed.GetRequiredValue(verb.Slots),
            Standby = !parsed.GetValue(verb.NoStandby),
            Budget = TimeSpan.FromMinutes(parsed.GetValue(verb.Minutes)),
            After = parsed.GetValue(verb.After),
        };
}
