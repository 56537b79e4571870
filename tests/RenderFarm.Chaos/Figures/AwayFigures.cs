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

    public static async Task<Measured> AllAsync(FigureFarm farm, TimeSpan away, bool isStub)
    {
        var longRender = await LongRenderAsync(farm, away + TimeSpan.FromSeconds(30), isStub);
        var absences = new JsonObject();
        var harmed = 0L;
        foreach (var (name, absence) in Absences(farm, away))
        {
            var (count, values) = await RendersThroughAsync(farm, longRender, absence);
            harmed += count;
            absences[name] = values;
        }

        var cut = await OneCutAsync(farm, longRender);
        var dead = await DeathFigures.WorkersKilledAsync(farm, rounds: 2, atOnce: 3);
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
        Func<object> longRender,
        Func<Task> absence
    )
    {
        var jobs = new[] { await farm.SubmitAsync(longRender()), await farm.SubmitAsync(100, slow: true) };
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

    private static async Task<long> SumAsync(FigureFarm farm, string sql, string[] jobs) => await farm.ScalarAsync<long>(sql, jobs);

    private static async Task<Cut> OneCutAsync(FigureFarm farm, Func<object> longRender)
    {
        var job = await farm.SubmitAsync(longRender());
        var held = await farm.RenderingAsync(job);
        var cut = TimeProvider.System.GetTimestamp();
        farm.Farm.WorkerLinks[held.Worker].Cut();
        await farm.RenderingAsync(job, after: held.Fence);
        var moved = TimeProvider.System.GetElapsedTime(cut).TotalSeconds;
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
    /// What takes at least so long to render. The real renderer's time depends on the machine: a few steps of ever longer
    /// videos tell how long one takes.
    /// </summary>
    private static async Task<Func<object>> LongRenderAsync(FigureFarm farm, TimeSpan atLeast, bool isStub)
    {
        const int MostSteps = 100;
        if (isStub)
        {
            var stubSteps = Math.Min(MostSteps, (int)Math.Ceiling(atLeast.TotalSeconds / 5));
            return () => Request(stubSteps, frames: 5, Random.Shared.Next(), StubRenderer.AtASnailsPace);
        }

        foreach (var frames in new[] { 17, 33, 65, 129, 257 })
        {
            var probe = await farm.SubmitAsync(Request(steps: 3, frames, frames, "as a trial"));
            await farm.CompletedAsync(probe, Patience);
            var step = await farm.ScalarAsync<double>("SELECT step_seconds FROM lease_records WHERE job_id = $1", probe);
            if (step * MostSteps >= atLeast.TotalSeconds)
            {
                var steps = (int)Math.Ceiling(atLeast.TotalSeconds / step);
                return () => Request(steps, frames, Random.Shared.Next(), "for long");
            }
        }

        throw new InvalidOperationException($"no render of this machine takes {atLeast.TotalMinutes:0.0} minutes");
    }

    private static object Request(int steps, int frames, int seed, string how) =>
        new
        {
            model = "tiny",
            prompt = $"a square wanders {how}",
            size = "64x48",
            frames,
            steps,
            seed,
            max_attempts = 10,
        };

    private sealed record Cut(double MovedAfter, bool RenderedOn, double StoppedAfter);
}
