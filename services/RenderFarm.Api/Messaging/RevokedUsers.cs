using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Messaging;

/// <summary>A worker that was revoked while the broker was away still has its user there: this removes it.</summary>
internal sealed class RevokedUsers(RabbitMqWorkers broker, WorkerRegistry workers, TimeProvider time) : ILoop
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    public string Name => "revoked_users";

    public TimeSpan LongestPause => Pause;

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            await RunOnceAsync(cancellationToken);
            standing.Well();
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        var there = await broker.NamesAsync(cancellationToken);
        foreach (var worker in (await workers.RevokedAsync(cancellationToken)).Where(there.Contains))
        {
            await broker.RemoveAsync(worker, cancellationToken);
        }
    }
}
