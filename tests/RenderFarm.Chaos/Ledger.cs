using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Chaos.Audit;
using RenderFarm.Chaos.Faults;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Chaos;

/// <summary>What a run came to.</summary>
internal sealed record Ledger
{
    private const int Shown = 10;
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    public required ChaosOptions Options { get; init; }
    public required TimeSpan Elapsed { get; init; }

    public required IReadOnlyList<FaultRecord> Faults { get; init; }
    public required int Accepted { get; init; }
    public required int Downloads { get; init; }

    /// <summary>Objects that the janitor removed.</summary>
    public required int Swept { get; init; }

    /// <summary>Answers to clients by call and status; 0 is no answer.</summary>
    public required IReadOnlyDictionary<string, int> Answers { get; init; }
    public required IReadOnlyDictionary<string, long> Counts { get; init; }
    public required IReadOnlyList<TimeUnderFire> Figures { get; init; }
    public required IReadOnlyList<Finding> Findings { get; init; }

    public int Breaches => Findings.Sum(finding => finding.Breaches.Count);

    private IEnumerable<FaultRecord> Applied => Faults.Where(fault => fault.NotApplied is null);

    /// <summary>Says it in lines, and gives the whole to the report.</summary>
    /// <returns>The exit code: 1 where a rule was broken.</returns>
    public int Finish(FigureReport report)
    {
        report.Say("");
        report.Say(Line($"Ledger: {Applied.Count()} of {Faults.Count} faults, seed {Options.Seed}, {Elapsed.TotalMinutes:0.0} min"));
        foreach (var kind in Faults.GroupBy(fault => fault.Fault.Kind).OrderBy(kind => kind.Key))
        {
            report.Say(Line($"  {kind.Key,-20} {kind.Count(fault => fault.NotApplied is null),5}{Missed(kind)}"));
        }

        report.Say(Line($"  most at the same time {MostAtOnce()}"));
        report.Say(Line($"Accepted {Accepted} jobs, {Downloads} downloads checked, {Swept} objects removed by the janitor"));
        foreach (var (what, count) in Counts)
        {
            report.Say(Line($"  {what,-40} {count,6}"));
        }

        report.Say("Answers to clients: " + string.Join(", ", Answers.Select(pair => $"{pair.Key}: {pair.Value}")));
        foreach (var (what, seconds) in Figures)
        {
            report.Figure($"{what}, times", seconds.Count, "");
            report.Figure($"{what}, p50", Round(seconds.P50), "s");
            report.Figure($"{what}, p99", Round(seconds.P99), "s");
            report.Figure($"{what}, most", Round(seconds.Max), "s");
        }

        foreach (var finding in Findings)
        {
            report.Check(finding.Rule, finding.Holds, Line($"{finding.Checked} looked at, {finding.Breaches.Count} broke it"));
            foreach (var breach in finding.Breaches.Take(Shown))
            {
                report.Say($"          {breach}");
            }

            if (finding.Breaches.Count > Shown)
            {
                report.Say($"          and {finding.Breaches.Count - Shown} more");
            }
        }

        report.Say(Breaches == 0 ? "No breach." : $"{Breaches} breaches.");
        foreach (var (name, value) in JsonSerializer.SerializeToNode(Details(), Json)!.AsObject().ToList())
        {
            report.Details[name] = value?.DeepClone();
        }

        return report.Finish();
    }

    private object Details() =>
        new
        {
            Options.Seed,
            Faults = Faults.Count,
            FaultsApplied = Applied.Count(),
            FaultsByKind = Applied.GroupBy(fault => fault.Fault.Kind.ToString()).ToDictionary(kind => kind.Key, kind => kind.Count()),
            MostAtOnce = MostAtOnce(),
            Renderer = Options.IsStub ? "stub" : "real",
            Minutes = Math.Round(Elapsed.TotalMinutes, 2),
            Accepted,
            Downloads,
            ObjectsSwept = Swept,
            Counts,
            Answers,
            Breaches = Findings.Where(finding => !finding.Holds).ToDictionary(finding => finding.Rule, finding => finding.Breaches),
            Log = Faults.Select(Entry),
        };

    private static string Entry(FaultRecord fault)
    {
        var (began, mended) = (Line($"{fault.Began.TotalSeconds:0.0}"), Line($"{fault.Mended.TotalSeconds:0.0}"));
        return Line($"{fault.Fault.Number} {began}-{mended} {fault.Fault.Kind} {fault.Fault.Target}: {fault.NotApplied ?? fault.Note}");
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);

    private static string Missed(IEnumerable<FaultRecord> kind)
    {
        var missed = kind.Where(fault => fault.NotApplied is not null).ToList();
        return missed.Count == 0 ? "" : $"   {missed.Count} not: {missed[0].NotApplied}";
    }

    private int MostAtOnce() =>
        Faults.Count == 0 ? 0 : Faults.Max(fault => Faults.Count(other => other.Began <= fault.Began && fault.Began <= other.Mended));

    /// <summary>Not a number where nothing was measured.</summary>
    private static double Round(double? value) => Math.Round(value ?? double.NaN, 2);
}
