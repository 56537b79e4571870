using RenderFarm.Jobs.Persistence;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Queues;

/// <summary>Decides which job a card is given. Moments are seconds since the simulation's begin.</summary>
internal interface IJobQueue : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Jobs of one key that come together.</summary>
    Task SubmitAsync(IReadOnlyList<VideoJob> jobs, double now);

    /// <summary>The card is idle. Null: there is nothing for it.</summary>
    Task<VideoJob?> TakeAsync(Card card, double now);

    /// <summary>What a card has made of a job that it was given.</summary>
    Task EndAsync(VideoJob job, Card card, JobEnd end, double now);

    /// <summary>A second has passed.</summary>
    Task TickAsync(double now);

    /// <summary>Cards of one pool are offered the same jobs.</summary>
    int PoolOf(Card card) => 0;

    /// <summary>Whether cards of the pool are ever given such jobs, where their memory allows it.</summary>
    bool Serves(int pool, VideoJob job) => true;
}
