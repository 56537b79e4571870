using System.Globalization;
using System.Text.Json.Nodes;
using RenderFarm.Chaos.Plan;
using RenderFarm.Chaos.Rendering;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Figures;

/// <summary>
/// API, database or network away for minutes while two jobs render, one of which outlasts the absence and one of which ends in
/// it; and a single worker that is cut off, or dead, while others are free.
/// </summary>
internal static class AwayFigures
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>What a request may ask for.</summary>
    private const int MostSteps = 100;

    private static readonly Clip OfAStub = new("tiny", "64x48", 5);

    /// <summary>Videos whose steps take ever longer.</summary>
    private static readonly IReadOnlyList<Clip> Ladder =
    [
        new("small", "208x128", 25), new("small", "208x128", 57), new("small", "208x128", 105), new("small", "320x192", 105),
    ];

    public static async Task<Measured> AllAsync(FigureFarm farm, TimeSpan away, bool isStub)
    {
        var longest = away + TimeSpan.FromSeconds(30);
        var renderFor = await RendersAsync(farm, longest, isStub);
        var absences = new JsonObject();
        var harmed = 0L;
        foreach (var (name, absence) in Absences(farm, away))
        {
            var (count, values) = await RendersThroughAsync(farm, [renderFor(longest), renderFor(away / 2)], absence);
            harmed += count;
            absences[name] = values;
        }

        var cut = await OneCutAsync(farm, renderFor(longest));
        var dead = await DeathFigures.WorkersKilledAsync(farm, rounds: 2, atOnce: 3, () => renderFor(longest));
        return new(
            string.Create(CultureInfo.InvariantCulture, $"API, database, network away for {away.TotalMinutes:0.#} minutes each"),
            "0 renders repeated, 0 attempts or deaths counted; a worker that is cut off loses its job to another as a dead one does (30 s) "
                + "and stops at its first renewal (10 s)",
            harmed == 0 && cut is { MovedAfter: <= 30, RenderedOn: true, StoppedAfter: <= 10 } && dead.Met,
            new()
            {
                ["away_minutes"] = away.TotalMinutes,
                ["absences"] = absences,
                ["one_worker_cut_off"] = new JsonObject
                {
                    ["its_job_runs_elsewhere_after_s"] = Math.Round(cut.MovedAfter, 1),
                    ["it_rendered_on_until_then"] = cut.RenderedOn,
                    ["it_stopped_after_the_link_was_mended_s"] = Math.Round(cut.StoppedAfter, 1),
                },
                ["worker_killed"] = dead.Values.DeepClone(),
            }
        );
    }

    private static IEnumerable<(string Name, Func<Task> Absence)> Absences(FigureFarm farm, TimeSpan away) =>
        [
            ("api_stopped", () => ApisStoppedAsync(farm, away)),
            ("database_stopped", () => DatabaseStoppedAsync(farm, away)),
            ("network_to_all_workers_cut", () => NetworkCutAsync(farm, away)),
        ];

    private static async Task ApisStoppedAsync(FigureFarm farm, TimeSpan away)
    {
        await Task.WhenAll(FaultPlan.Apis.Select(api => farm.Farm.Programs[api].StopAsync()));
        await Task.Delay(away, TimeProvider.System, farm.Stop);
        foreach (var api in FaultPlan.Apis)
        {
            await farm.Farm.Programs[api].StartAsync(farm.Stop);
            await farm.Farm.Programs[api].ReadyAsync(farm.Stop);
        }
    }

    private static async Task DatabaseStoppedAsync(FigureFarm farm, TimeSpan away)
    {
        await farm.Farm.Servers.KillAsync("postgres", farm.Stop);
        await Task.Delay(away, TimeProvider.System, farm.Stop);
        await farm.Farm.Servers.StartAgainAsync("postgres", wiped: false, farm.Stop);
        farm.Farm.Database.Clear();
    }

    private static async Task NetworkCutAsync(FigureFarm farm, TimeSpan away)
    {
        foreach (var link in farm.Farm.WorkerLinks.Values)
        {
            link.Cut();
        }

        await Task.Delay(away, TimeProvider.System, farm.Stop);
        foreach (var link in farm.Farm.WorkerLinks.Values)
        {
            link.Mend();
        }
    }

    /// <returns>How many leases too many, attempts and deaths there were.</returns>
    private static async Task<(long Harmed, JsonObject Values)> RendersThroughAsync(
        FigureFarm farm,
        object[] renders,
        Func<Task> absence
    )
    {
        var jobs = new[] { await farm.SubmitAsync(renders[0]), await farm.SubmitAsync(renders[1]) };
        foreach (var job in jobs)
        {
            await farm.RenderingAsync(job);
        }

        await absence();
        var since = TimeProvider.System.GetTimestamp();
        foreach (var job in jobs.Reverse())
        {
            await farm.CompletedAsync(job, Patience);
        }

        var repeated = await SumAsync(farm, "SELECT SUM(fence - 1)::bigint FROM jobs WHERE id = ANY($1)", jobs);
        var counted = await SumAsync(farm, "SELECT SUM(failures + deaths)::bigint FROM jobs WHERE id = ANY($1)", jobs);
        return (
            repeated + counted,
            new()
            {
                ["renders"] = jobs.Length,
                ["repeated"] = repeated,
                ["attempts_or_deaths_counted"] = counted,
                ["the_longer_ended_after_the_return_s"] = Math.Round(TimeProvider.System.GetElapsedTime(since).TotalSeconds, 1),
            }
        );
    }

    private static async Task<long> SumAsync(FigureFarm farm, string sql, string[] jobs) => await farm.ScalarAsync<long>(sql, [jobs]);

    private static async Task<Cut> OneCutAsync(FigureFarm farm, object longRender)
    {
        var job = await farm.SubmitAsync(longRender);
        var held = await farm.RenderingAsync(job);
        var cut = await farm.NowAsync();
        farm.Farm.WorkerLinks[held.Worker].Cut();
        var moved = ((await farm.RenderingAsync(job, after: held.Fence)).Since - cut).TotalSeconds;
        var renderedOn = farm.Farm.Renderers(held.Worker).Count > 0;

        var mended = TimeProvider.System.GetTimestamp();
        farm.Farm.WorkerLinks[held.Worker].Mend();
        await Eventually.TrueAsync(
            () => Task.FromResult(farm.Farm.Renderers(held.Worker).Count == 0),
            TimeSpan.FromSeconds(60),
            $"the orphan of {held.Worker} to stop",
            farm.Stop
        );
        var stopped = TimeProvider.System.GetElapsedTime(mended).TotalSeconds;
        await farm.CancelAsync(job);
        await farm.EndedAsync(job);
        return new Cut(moved, renderedOn, stopped);
    }

    /// <summary>
    /// Requests by how long they take to render. The real renderer's time depends on the machine: a few steps of ever larger videos tell
    /// how long one takes.
    /// </summary>
    private static async Task<Func<TimeSpan, object>> RendersAsync(FigureFarm farm, TimeSpan longest, bool isStub)
    {
        if (isStub)
        {
            return time => Request(OfAStub, Steps(time, 5), Random.Shared.Next(), StubRenderer.AtASnailsPace);
        }

        foreach (var clip in Ladder)
        {
            var probe = await farm.SubmitAsync(Request(clip, steps: 3, seed: 1, "as a trial"));
            await farm.CompletedAsync(probe, Patience);
            var step = await farm.ScalarAsync<double>(
                "SELECT step_seconds FROM lease_records WHERE job_id = $1 AND ending = 'completed'",
                probe
            );
            if (step * MostSteps >= longest.TotalSeconds)
            {
                return time => Request(clip, Steps(time, step), Random.Shared.Next(), "for long");
            }
        }

        throw new InvalidOperationException($"no render of this machine takes {longest.TotalMinutes:0.0} minutes");
    }

    private static int Steps(TimeSpan time, double stepSeconds) => Math.Min(MostSteps, (int)Math.Ceiling(time.TotalSeconds / stepSeconds));

    private static object Request(Clip clip, int steps, int seed, string how) =>
        new
        {
            model = clip.Model,
            prompt = $"a square wanders {how}",
            size = clip.Size,
            frames = clip.Frames,
            steps,
            seed,
            max_attempts = 10,
        };

    private sealed record Clip(string Model, string Size, int Frames);

    private sealed record Cut(double MovedAfter, bool RenderedOn, double StoppedAfter);
}
