using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using RenderFarm.Chaos.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Figures;

/// <summary>Workers and renderers that are killed, and a worker that is stopped and comes back too late.</summary>
internal static class DeathFigures
{
    private static readonly TimeSpan Stopped = TimeSpan.FromSeconds(60);

    /// <summary>Some workers at a time are killed while they render; others are idle. No other fault.</summary>
    /// <param name="request">Of a video that takes a minute or more.</param>
    public static async Task<Measured> WorkersKilledAsync(FigureFarm farm, int rounds, int atOnce, Func<object> request)
    {
        List<double> lost = [],
            leased = [];
        ConcurrentBag<double> running = [];
        for (var round = 0; round < rounds; round++)
        {
            var jobs = await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => farm.SubmitAsync(request())));
            var victims = await Task.WhenAll(jobs.Select(job => farm.RenderingAsync(job)));
            var killed = await farm.NowAsync();
            await Task.WhenAll(victims.Select(victim => farm.Farm.Programs[victim.Worker].KillAsync()));
            await Task.WhenAll(
                jobs.Zip(victims)
                    .Select(async pair =>
                    {
                        var again = await farm.RenderingAsync(pair.First, after: pair.Second.Fence);
                        running.Add((again.Since - killed).TotalSeconds);
                    })
            );
            foreach (var (job, victim) in jobs.Zip(victims))
            {
                lost.AddRange(
                    await farm.NumbersAsync(
                        "SELECT EXTRACT(EPOCH FROM ended_at - $3)::float8 FROM lease_records WHERE job_id = $1 AND fence = $2",
                        job,
                        victim.Fence,
                        killed
                    )
                );
                leased.AddRange(
                    await farm.NumbersAsync(
                        "SELECT EXTRACT(EPOCH FROM leased_at - $3)::float8 FROM lease_records WHERE job_id = $1 AND fence = $2",
                        job,
                        victim.Fence + 1,
                        killed
                    )
                );
            }
            foreach (var job in jobs)
            {
                await farm.CancelAsync(job);
            }

            foreach (var victim in victims)
            {
                await farm.Farm.Programs[victim.Worker].StartAsync(farm.Stop);
            }

            foreach (var job in jobs)
            {
                await farm.EndedAsync(job);
            }
        }
        var sample = new Distribution(running);
        return new(
            "worker kill -9 → its job runs elsewhere",
            "p99 ≤ 30 s",
            sample.P99 <= 30,
            new()
            {
                ["running_elsewhere"] = sample.ToJson(),
                ["of_which_until_the_lease_was_taken_back"] = new Distribution(lost).ToJson(),
                ["until_another_worker_had_it"] = new Distribution(leased).ToJson(),
            }
        );
    }

    public static async Task<Measured> RenderersKilledAsync(FigureFarm farm, int times)
    {
        var seconds = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var job = await farm.SubmitAsync(100);
            var held = await farm.RenderingAsync(job);
            var killed = await farm.NowAsync();
            foreach (var renderer in farm.Farm.Renderers(held.Worker))
            {
                Kernel.Signal(renderer, Kernel.Kill);
            }

            var ended = await Eventually.ValueAsync(
                () =>
                    farm.ScalarAsync<DateTime?>(
                        "SELECT ended_at FROM lease_records WHERE job_id = $1 AND fence = $2 AND outcome_state = 'queued'",
                        job,
                        held.Fence
                    ),
                at => at is not null,
                TimeSpan.FromSeconds(60),
                $"{job} to be queued again",
                farm.Stop
            );
            seconds.Add((ended!.Value - killed).TotalSeconds);
            await farm.CancelAsync(job);
            await farm.EndedAsync(job);
        }
        var sample = new Distribution(seconds);
        return new("renderer killed → its job is queued again", "≤ 2 s", sample.Max <= 2, sample.ToJson());
    }

    /// <summary>
    /// One is stopped alone, one with its renderer and encoder; both resume when their jobs have long been completed by others.
    /// </summary>
    public static async Task<Measured> WorkersStoppedAsync(FigureFarm farm)
    {
        var jobs = new[] { await farm.SubmitAsync(40), await farm.SubmitAsync(40) };
        var victims = await Task.WhenAll(jobs.Select(job => farm.RenderingAsync(job)));
        var stopped = new List<int>();
        foreach (var (index, victim) in victims.Index())
        {
            var worker = farm.Farm.Programs[victim.Worker].Id;
            if (index == 1)
            {
                stopped.AddRange(ProcessTable.Below(worker).Select(child => child.Id));
            }

            stopped.Add(worker);
        }
        foreach (var process in stopped)
        {
            Kernel.Signal(process, Kernel.Stop);
        }

        var resume = Task.Delay(Stopped, TimeProvider.System, farm.Stop);
        await Task.WhenAll(jobs.Select(farm.CompletedAsync));
        var before = await Task.WhenAll(jobs.Select(job => ResultAsync(farm, job)));
        await resume;
        foreach (var process in stopped)
        {
            Kernel.Signal(process, Kernel.Continue);
        }

        // As many jobs at once as there are workers: those that came back render again
        var more = await Task.WhenAll(farm.Farm.Workers.Select(_ => farm.SubmitAsync(20)));
        foreach (var job in more)
        {
            await farm.CompletedAsync(job);
        }

        await Eventually.TrueAsync(
            async () =>
                (
                    await Task.WhenAll(
                        victims.Select(victim =>
                            farm.ScalarAsync<long>(
                                "SELECT COUNT(*) FROM lease_records r JOIN workers w ON w.id = r.worker_id WHERE w.name = $1 AND r.ending "
                                    + "= 'completed' AND r.leased_at > $2",
                                victim.Worker,
                                victim.Since
                            )
                        )
                    )
                ).All(count => count > 0) || await MoreAsync(farm),
            TimeSpan.FromSeconds(60),
            "the stopped workers to render again",
            farm.Stop
        );
        var after = await Task.WhenAll(jobs.Select(job => ResultAsync(farm, job)));
        var overwritten = before.Zip(after).Count(pair => pair.First != pair.Second);
        return new(
            "a worker stopped for 60 s and resumed overwrites",
            "nothing",
            overwritten == 0,
            new()
            {
                ["workers"] = victims.Length,
                ["results_changed"] = overwritten,
                ["leases_of_each_job"] = new JsonArray([
                    .. await Task.WhenAll(
                        jobs.Select(async job => (JsonNode)await farm.ScalarAsync<long>("SELECT fence FROM jobs WHERE id = $1", job))
                    ),
                ]),
            }
        );
    }

    private static async Task<bool> MoreAsync(FigureFarm farm)
    {
        await farm.CompletedAsync(await farm.SubmitAsync(3));
        return false;
    }

    /// <summary>What the row says is the result, and what is stored of it.</summary>
    private static async Task<string> ResultAsync(FigureFarm farm, string job)
    {
        var key = await farm.ScalarAsync<string>("SELECT artifacts::jsonb -> 0 ->> 'key' FROM jobs WHERE id = $1", job);
        var stored = key is null ? null : await farm.Farm.Store.StatAsync(key, farm.Stop);
        return $"{await farm.ScalarAsync<string>("SELECT state || winning_fence || artifacts FROM jobs WHERE id = $1", job)} "
            + $"{stored?.Sha256} {stored?.LastModified:O}";
    }
}
