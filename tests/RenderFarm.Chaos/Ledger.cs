using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Chaos.Audit;
using RenderFarm.Chaos.Faults;
using ThisMachine = RenderFarm.Verbs.Figures.ThisMachine;

namespace RenderFarm.Chaos;

/// <summary>What a run came to: printed, and kept as JSON.</summary>
internal sealed record Ledger
{
    private const int Shown = 10;
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    public required ChaosOptions Options { get; init; }
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Before it and after it; what the farm itself does is the greater part of the latter.</summary>
    public required (double Before, double After) Load { get; init; }
    public required IReadOnlyList<FaultRecord> Faults { get; init; }
    public required int Accepted { get; init; }
    public required int Downloads { get; init; }

    /// <summary>Objects that the janitor removed.</summary>
    public required int Swept { get; init; }

    /// <summary>Answers to clients by call and status; 0 is no answer.</summary>
    public required IReadOnlyDictionary<string, int> Answers { get; init; }
    public required IReadOnlyDictionary<string, long> Counts { get; init; }
    public required IReadOnlyList<Figure> Figures { get; init; }
    public required IReadOnlyList<Finding> Findings { get; init; }

    public int Breaches => Findings.Sum(finding => finding.Breaches.Count);

    private IEnumerable<FaultRecord> Applied => Faults.Where(fault => fault.NotApplied is null);

    public void Print(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Ledger: {Applied.Count()} of {Faults.Count} faults, seed {Options.Seed}, {Elapsed.TotalMinutes:0.0} min"
            )
        );
        foreach (var kind in Faults.GroupBy(fault => fault.Fault.Kind).OrderBy(kind => kind.Key))
        {
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {kind.Key,-20} {kind.Count(fault => fault.NotApplied is null),5}{Missed(kind)}"
                )
            );
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  most at the same time {MostAtOnce()}"));
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Accepted {Accepted} jobs, {Downloads} downloads checked, {Swept} objects removed by the janitor"
            )
        );
        foreach (var (what, count) in Counts)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what,-40} {count,6}"));
        }

        output.WriteLine("Answers to clients: " + string.Join(", ", Answers.Select(pair => $"{pair.Key}: {pair.Value}")));
        foreach (var figure in Figures)
        {
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{figure.What}: {figure.Seconds.Count} times, p50 {figure.Seconds.P50:0.00}, p99 {figure.Seconds.P99:0.00}, max "
                        + $"{figure.Seconds.Max:0.00}"
                )
            );
        }

        output.WriteLine("Audit");
        foreach (var finding in Findings)
        {
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {(finding.Holds ? "holds " : "BROKEN")}  {finding.Rule} ({finding.Checked})"
                )
            );
            foreach (var breach in finding.Breaches.Take(Shown))
            {
                output.WriteLine($"          {breach}");
            }

            if (finding.Breaches.Count > Shown)
            {
                output.WriteLine($"          and {finding.Breaches.Count - Shown} more");
            }
        }
        output.WriteLine(Breaches == 0 ? "No breach." : $"{Breaches} breaches.");
    }

    public async Task WriteAsync(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(
            path,
            JsonSerializer.Serialize(
                new
                {
                    Options.Seed,
                    Faults = Faults.Count,
                    FaultsApplied = Applied.Count(),
                    FaultsByKind = Applied
                        .GroupBy(fault => fault.Fault.Kind.ToString())
                        .ToDictionary(kind => kind.Key, kind => kind.Count()),
                    MostAtOnce = MostAtOnce(),
                    Renderer = Options.IsStub ? "stub" : "real",
                    Minutes = Math.Round(Elapsed.TotalMinutes, 2),
                    Machine = ThisMachine.Name,
                    LoadAverageBeforeAndAfter = new[] { Load.Before, Load.After },
                    Accepted,
                    Downloads,
                    ObjectsSwept = Swept,
                    Counts,
                    Answers,
                    Figures = Figures.Select(figure => new
                    {
                        figure.What,
                        Times = figure.Seconds.Count,
                        P50 = Round(figure.Seconds.P50),
                        P99 = Round(figure.Seconds.P99),
                        Max = Round(figure.Seconds.Max),
                    }),
                    Breaches,
                    Audit = Findings.Select(finding => new
                    {
                        finding.Rule,
                        finding.Checked,
                        finding.Holds,
                        Breaches = finding.Holds ? null : finding.Breaches,
                    }),
                    Log = Faults.Select(fault =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{fault.Fault.Number} {fault.Began.TotalSeconds:0.0}-{fault.Mended.TotalSeconds:0.0} {fault.Fault.Kind} "
                                + $"{fault.Fault.Target}: {fault.NotApplied ?? fault.Note}"
                        )
                    ),
                },
                Json
            ) + Environment.NewLine
        );
    }

    private static string Missed(IEnumerable<FaultRecord> kind)
    {
        var missed = kind.Where(fault => fault.NotApplied is not null).ToList();
        return missed.Count == 0 ? "" : $"   {missed.Count} not: {missed[0].NotApplied}";
    }

    private int MostAtOnce() =>
        Faults.Count == 0 ? 0 : Faults.Max(fault => Faults.Count(other => other.Began <= fault.Began && fault.Began <= other.Mended));

    private static double? Round(double? value) => value is { } number ? Math.Round(number, 2) : null;
}
