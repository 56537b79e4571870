using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Queues;

/// <summary>First come, first served: a card is given the oldest job that fits it.</summary>
internal sealed class PlainQueue : IJobQueue
{
    private readonly Dictionary<VideoKind, PriorityQueue<VideoJob, int>> _waiting = [];

    public string Name => "first come";

    public Task SubmitAsync(IReadOnlyList<VideoJob> jobs, double now)
    {
        foreach (var job in jobs)
        {
            Add(job);
        }

        return Task.CompletedTask;
    }

    public Task<VideoJob?> TakeAsync(Card card, double now) =>
        Task.FromResult(TakeFirst(kind => kind.Needs.LeastBytes <= card.Kind.FreeBytes && kind.Needs.VramClass <= card.Kind.LargestClass));

    public VideoJob? TakeFirst(Func<VideoKind, bool> fits)
    {
        PriorityQueue<VideoJob, int>? oldest = null;
        foreach (var (kind, waiting) in _waiting)
        {
            if (
                waiting.TryPeek(out _, out var number)
                && fits(kind)
                && (oldest is null || (oldest.TryPeek(out _, out var least) && number < least))
            )
            {
                oldest = waiting;
            }
        }

        return oldest?.Dequeue();
    }

    public Task EndAsync(VideoJob job, Card card, JobEnd end, double now)
    {
        if (end.State == JobState.Queued)
        {
            Add(job);
        }

        return Task.CompletedTask;
    }

    public Task TickAsync(double now) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Add(VideoJob job)
    {
        if (!_waiting.TryGetValue(job.Kind, out var waiting))
        {
            _waiting[job.Kind] = waiting = new PriorityQueue<VideoJob, int>();
        }

        waiting.Enqueue(job, job.Number);
    }
}

/// <summary>
/// Each VRAM class has cards of its own, first come, first served within it: what farms do that know nothing of plans. The cards are shared
/// out by the work that each class will have, which nobody knows so well beforehand.
/// </summary>
internal sealed class ClassPools : IJobQueue
{
    private readonly PlainQueue _queue = new();
    private readonly Dictionary<Card, int> _poolOf = [];

    public ClassPools(CardPark park, IReadOnlyList<VideoKind> kinds)
    {
        var work = kinds
            .GroupBy(kind => kind.Needs.VramClass)
            .Select(pool => (VramClass: pool.Key, Seconds: pool.Sum(kind => kind.Share * kind.Needs.EstimatedSeconds)))
            .OrderBy(pool => pool.VramClass)
            .ToList();
        var all = work.Sum(pool => pool.Seconds);
        var cards = park.Cards.OrderBy(card => card.Kind.LargestClass).ThenBy(card => card.Number).ToList();
        for (var i = 0; i < cards.Count; i++)
        {
            var (pool, upTo) = (0, work[0].Seconds);
            while (pool + 1 < work.Count && upTo / all * cards.Count <= i)
            {
                upTo += work[++pool].Seconds;
            }

            // A card too small for the pool whose turn it is serves the one below
            while (pool > 0 && work[pool].VramClass > cards[i].Kind.LargestClass)
            {
                pool--;
            }

            _poolOf[cards[i]] = work[pool].VramClass;
        }
    }

    public string Name => "class pools";

    public int PoolOf(Card card) => _poolOf[card];

    public bool Serves(int pool, VideoJob job) => pool == job.Kind.Needs.VramClass;

    public Task SubmitAsync(IReadOnlyList<VideoJob> jobs, double now) => _queue.SubmitAsync(jobs, now);

    public Task<VideoJob?> TakeAsync(Card card, double now) =>
        Task.FromResult(_queue.TakeFirst(kind => kind.Needs.VramClass == _poolOf[card] && kind.Needs.LeastBytes <= card.Kind.FreeBytes));

    public Task EndAsync(VideoJob job, Card card, JobEnd end, double now) => _queue.EndAsync(job, card, end, now);

    public Task TickAsync(double now) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
