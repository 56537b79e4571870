using System.CommandLine;
using System.Globalization;
using RenderFarm.Verbs.Bench;

namespace RenderFarm.Benchmarks;

/// <summary>What <c>leaks</c> is asked to run.</summary>
internal sealed record LeakOptions
{
    public int Jobs { get; private init; } = 1000;

    /// <summary><c>cpu</c>, or <c>auto</c> for the cards of this host.</summary>
    public string Slots { get; private init; } = "cpu";
    public string Model { get; private init; } = "tiny";
    public string Size { get; private init; } = "64x48";
    public int Frames { get; private init; } = 5;
    public int Steps { get; private init; } = 2;
    public bool Standby { get; private init; }

    public static LeakOptions Of(ParseResult parsed, LeaksVerb verb) =>
        new()
        {
            Jobs = parsed.GetValue(verb.Jobs),
            Slots = parsed.GetRequiredValue(verb.Slots),
            Model = parsed.GetRequiredValue(verb.Model),
            Size = parsed.GetRequiredValue(verb.Size),
            Frames = parsed.GetValue(verb.Frames),
            Steps = parsed.GetValue(verb.Steps),
            Standby = parsed.GetValue(verb.Standby),
        };

    /// <summary>A weight cache of its own, in shared memory as on a real host; not among what a job may not leave behind.</summary>
    public static string WeightCache { get; } = string.Create(CultureInfo.InvariantCulture, $"/dev/shm/farm-leaks-{Environment.ProcessId}");

    public Dictionary<string, string> Settings() =>
        new()
        {
            ["Worker__Slots"] = Slots,
            ["Worker__Standby"] = Standby ? "true" : "false",
            ["Worker__WeightCacheDirectory"] = WeightCache,
        };

    public Dictionary<string, object> Request(int number) =>
        new()
        {
            ["model"] = Model,
            ["prompt"] = $"clip {number} of many",
            ["size"] = Size,
            ["frames"] = Frames,
            ["fps"] = 8,
            ["steps"] = Steps,
            ["seed"] = number,
        };
}
