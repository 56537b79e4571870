using System.Globalization;
using System.Text.Json.Nodes;
using RenderFarm.Simulation.Cards;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Engine;
using RenderFarm.Simulation.Queues;
using RenderFarm.Simulation.Results;
using RenderFarm.Simulation.Supply;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Simulation.Trials;

/// <summary>Cards and videos of a simulated farm, the same for each trial.</summary>
internal sealed record Scenario(IReadOnlyList<CardKind> Cards, IReadOnlyList<VideoKind> Videos, int CardCount, int Seed, string? Plots)
{
    /// <summary>One card in so many is rented by the hour.</summary>
    private const double SpotShare = 0.1;

    /// <summary>Keys with a limit may have one card in so many.</summary>
    private const int LimitedPart = 50;

    /// <summary>Videos a second that the cards make when each gets the mix as it comes.</summary>
    public double Capacity
    {
        get
        {
            var (shares, videos) = (Cards.Sum(card => card.Share), Videos.Sum(video => video.Share));
            return Cards.Sum(card =>
            {
                var able = Videos.Where(video => video.SecondsOn(card) is not null).ToList();
                var mean = able.Sum(video => video.Share * video.SecondsOn(card)!.Value) / able.Sum(video => video.Share);
                return CardCount * card.Share / shares / mean * able.Sum(video => video.Share) / videos;
            });
        }
    }

    public CardPark NewPark(double spotShare = SpotShare) =>
        new(Cards, CardCount, [.. Videos.Select(video => video.Needs.Model).Distinct()], spotShare, new Random(Seed));

    public IReadOnlyList<Arrival> Ask(int jobs, double seconds, bool daily) =>
        Arrivals.Draw(Videos, jobs, seconds, daily, Math.Max(1, CardCount / LimitedPart), new Random(Seed + 2));

    public async Task<Outcome> RunAsync(
        Func<CardPark, IJobQueue> queueOf,
        int jobs,
        double seconds,
        bool daily,
        CancellationToken cancellationToken
    )
    {
        var park = NewPark();
        await using var queue = queueOf(park);
        return await new FarmRun(park, queue, new FarmRules(), Seed).RunAsync(Ask(jobs, seconds, daily), seconds, cancellationToken);
    }

    public void Describe(FigureReport report)
    {
        foreach (var video in Videos)
        {
            var seconds = Cards.Select(card => $"{card.Name} {Seconds(video.SecondsOn(card))}");
            report.Say($"{video.Name} (class {video.Needs.VramClass}, {video.Share} %): {string.Join(", ", seconds)}");
        }

        report.Say(string.Create(CultureInfo.InvariantCulture, $"{CardCount} cards make {Capacity * 86_400:0} of these a day"));
        report.Details["seed"] = Seed;
        report.Details["cards"] = CardCount;
    }

    /// <summary>What a run came to, as lines and as JSON.</summary>
    public static JsonObject Tell(Outcome outcome, FigureReport report)
    {
        report.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{outcome.Queue}: {outcome.Jobs.Count} videos, {outcome.Completed} made, {outcome.Failed} failed, "
                    + $"{outcome.LeftWaiting} left waiting; cards busy {outcome.Utilisation:0.0%}; "
                    + $"{outcome.CardSecondsEach:0} card-seconds and {outcome.MemoryHoursEach:0.00} GiB-hours a video; "
                    + $"longest wait {Seconds(outcome.LongestWait)}"
            )
        );
        report.Say($"  all: {Words(outcome.Waits)}");
        foreach (var (vramClass, waits) in outcome.ByClass)
        {
            report.Say($"  class {vramClass}: {Words(waits)}");
        }

        foreach (var (kind, waits, latency) in outcome.ByKind)
        {
            report.Say($"  {kind.Name}: {Words(waits)}, submit to done p95 {Seconds(latency)}");
        }

        report.Say($"  keys that ask for little: {Words(outcome.ByDemand.Light)}; for most: {Words(outcome.ByDemand.Heavy)}");
        return new JsonObject
        {
            ["queue"] = outcome.Queue,
            ["videos"] = outcome.Jobs.Count,
            ["completed"] = outcome.Completed,
            ["failed"] = outcome.Failed,
            ["left_waiting"] = outcome.LeftWaiting,
            ["utilisation"] = Math.Round(outcome.Utilisation, 4),
            ["card_seconds_each"] = Math.Round(outcome.CardSecondsEach, 1),
            ["memory_gib_hours_each"] = Math.Round(outcome.MemoryHoursEach, 3),
            ["longest_wait_seconds"] = Math.Round(outcome.LongestWait),
            ["wait"] = Json(outcome.Waits),
            ["wait_by_class"] = Json(outcome.ByClass.Select(one => ($"{one.VramClass}", one.Waits))),
            ["wait_by_kind"] = Json(outcome.ByKind.Select(one => (one.Kind.Name, one.Waits))),
            ["wait_of_light_keys"] = Json(outcome.ByDemand.Light),
            ["wait_of_heavy_keys"] = Json(outcome.ByDemand.Heavy),
        };
    }

    public static string Seconds(double? seconds) =>
        seconds switch
        {
            null => "-",
            < 100 and var few => string.Create(CultureInfo.InvariantCulture, $"{few:0.#} s"),
            < 6_000 and var some => string.Create(CultureInfo.InvariantCulture, $"{some / 60:0.#} min"),
            { } many => string.Create(CultureInfo.InvariantCulture, $"{many / 3_600:0.#} h"),
        };

    private static string Words(Waits waits) => $"waits p50 {Seconds(waits.P50)}, p95 {Seconds(waits.P95)}, p99 {Seconds(waits.P99)}";

    private static JsonObject Json(IEnumerable<(string Name, Waits Waits)> groups) =>
        new(groups.Select(group => KeyValuePair.Create(group.Name, (JsonNode?)Json(group.Waits))));

    private static JsonObject Json(Waits waits) =>
        new()
        {
            ["videos"] = waits.Jobs,
            ["p50"] = Math.Round(waits.P50, 1),
            ["p95"] = Math.Round(waits.P95, 1),
            ["p99"] = Math.Round(waits.P99, 1),
        };
}
