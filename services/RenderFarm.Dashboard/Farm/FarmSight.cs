using RenderFarm.Contracts.Leases;
using RenderFarm.Dashboard.Calls;

namespace RenderFarm.Dashboard.Farm;

/// <summary>What the farm is at: its cards, what they render, what waits.</summary>
public sealed record FarmSight(WorkersRecord Workers, QueueRecord? Queue, IReadOnlyDictionary<string, VideoRecord> Videos)
{
    /// <summary>Videos that are asked for one by one, for their plan: each is a request of the visitor's key.</summary>
    private const int MostVideos = 24;

    public static async Task<FarmSight> LookAsync(Visitor visitor)
    {
        var workers = await visitor.GetAsync<WorkersRecord>("/v1/workers");
        var videos = new Dictionary<string, VideoRecord>();
        foreach (var id in workers.Data.SelectMany(worker => worker.Held).Select(held => held.VideoId).OfType<string>().Take(MostVideos))
        {
            if (await visitor.FindAsync<VideoRecord>($"/v1/videos/{Uri.EscapeDataString(id)}") is { } video)
            {
                videos[id] = video;
            }
        }

        return new FarmSight(workers, await visitor.FindAsync<QueueRecord>("/v1/queue"), videos);
    }

    /// <summary>Those that somebody has to see to first, then those that are there, then those that are gone.</summary>
    public IEnumerable<WorkerRecord> InOrder =>
        Workers
            .Data.Where(worker => !IsAway(worker))
            .OrderByDescending(worker => worker.NeedsCare)
            .ThenBy(worker => worker.Name, StringComparer.Ordinal);

    public IReadOnlyList<WorkerRecord> Gone => [.. Workers.Data.Where(IsAway)];

    /// <summary>Cards and processors that take videos, or would if there were any.</summary>
    public int Ready =>
        Workers.Data.Where(worker => worker.Status == WorkerStatus.Live).Sum(worker => worker.Slots.Count(slot => slot.Quarantine is null));

    private static bool IsAway(WorkerRecord worker) => worker.Status is WorkerStatus.Gone or WorkerStatus.Stopped;

    public int Busy => Workers.Data.Sum(worker => worker.Held.Count);
}
