using RenderFarm.Chaos.Faults;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Figures;

/// <summary>Bells that ring too often, and cancels.</summary>
internal static class WishFigures
{
    /// <summary>A hundred bells for one job in the queue that all workers listen to, while all of them are idle and poll.</summary>
    public static async Task<Measured> BellsAsync(FigureFarm farm, int jobs)
    {
        var most = 0L;
        for (var i = 0; i < jobs; i++)
        {
            var job = await farm.SubmitAsync(5);
            if (!await BellReplay.TryRingAsync(farm.Farm.Servers.Broker, [job], 100, farm.Stop))
            {
                throw new InvalidOperationException("the broker did not take the bells");
            }

            await farm.CompletedAsync(job);
            most = Math.Max(most, await farm.ScalarAsync<long>("SELECT COUNT(*) FROM lease_records WHERE job_id = $1", job));
        }
        return new(
            $"100 duplicate bells, {farm.Farm.Workers.Count} racing workers",
            "1 run",
            most == 1,
            new() { ["jobs"] = jobs, ["most_runs_of_a_job"] = most }
        );
    }

    /// <summary>From the request to the moment when no renderer of the worker is left.</summary>
    public static async Task<Measured> CancelsAsync(FigureFarm farm, int times, bool brokerDown)
    {
        const double Step = 0.1;
        if (brokerDown)
        {
            await farm.Farm.Servers.KillAsync("rabbitmq", farm.Stop);
        }

        var seconds = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var job = await farm.SubmitAsync(100);
            var held = await farm.RenderingAsync(job);
            var asked = TimeProvider.System.GetTimestamp();
            await farm.CancelAsync(job);
            await Eventually.TrueAsync(
                () => Task.FromResult(farm.Farm.Renderers(held.Worker).Count == 0),
                TimeSpan.FromSeconds(60),
                $"the renderer of {held.Worker} to end",
                farm.Stop
            );
            seconds.Add(TimeProvider.System.GetElapsedTime(asked).TotalSeconds);
            await farm.EndedAsync(job);
        }
        if (brokerDown)
        {
            await farm.Farm.Servers.StartAgainAsync("rabbitmq", wiped: false, farm.Stop);
        }

        var (sample, limit) = (new Distribution(seconds), brokerDown ? 5.0 : Step + 2);
        return new(
            $"cancel → no renderer left{(brokerDown ? ", broker down" : "")}",
            brokerDown ? "≤ 5 s" : "≤ one step (0.1 s) + 2 s",
            sample.Max <= limit,
            sample.ToJson()
        );
    }
}
