using RenderFarm.Jobs.Persistence;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Queues;

/// <summary>The store decides, and its twin in memory is asked the same: the first choice that differs ends the run.</summary>
internal sealed class BothQueues(StoreQueue store, FarmOrder twin) : IJobQueue
{
    public string Name => "store and twin";

    public int Choices { get; private set; }

    public async Task SubmitAsync(IReadOnlyList<VideoJob> jobs, double now)
    {
        await store.SubmitAsync(jobs, now);
        await twin.SubmitAsync(jobs, now);
    }

    public async Task<VideoJob?> TakeAsync(Card card, double now)
    {
        var taken = await store.TakeAsync(card, now);
        var other = await twin.TakeAsync(card, now);
        Choices++;
        if (!ReferenceEquals(taken, other))
        {
            throw new InvalidOperationException(
                $"at {now:0.000} s card {card.Number}: {taken?.Id ?? "nothing"} from the store, {other?.Id ?? "nothing"} from its twin"
            );
        }

        return taken;
    }

    public async Task EndAsync(VideoJob job, Card card, JobEnd end, double now)
    {
        await store.EndAsync(job, card, end, now);
        await twin.EndAsync(job, card, end, now);
    }

    public async Task TickAsync(double now)
    {
        await store.TickAsync(now);
        await twin.TickAsync(now);
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        await twin.DisposeAsync();
    }
}
