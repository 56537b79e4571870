using System.Threading.Channels;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Events;

/// <summary>One stream's ear at the hub. A slow client loses old progress, never an event: those it reads from the log.</summary>
internal sealed class Watcher : IDisposable
{
    private readonly EventHub _hub;
    private readonly Channel<ProgressNotice?> _heard = Channel.CreateBounded<ProgressNotice?>(
        new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }
    );

    private int _events;

    internal Watcher(EventHub hub, JobScope scope, string? jobId) => (_hub, Scope, JobId) = (hub, scope, jobId);

    public JobScope Scope { get; }
    public string? JobId { get; }

    /// <summary>Waits for something to happen, then takes all that is there.</summary>
    public async Task<Heard> NextAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _heard.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Heard(Events: true, TimeUp: true, []);
        }

        var progress = new List<ProgressNotice>();
        while (_heard.Reader.TryRead(out var notice))
        {
            if (notice is not null)
            {
                progress.Add(notice);
            }
        }

        return new Heard(Interlocked.Exchange(ref _events, 0) == 1, TimeUp: false, progress);
    }

    public void Dispose() => _hub.Leave(this);

    internal bool Concerns(JobEvent told) => JobId is null ? Scope.KeyId is null || Scope.KeyId == told.KeyId : JobId == told.JobId;

    internal void Tell(ProgressNotice notice) => _heard.Writer.TryWrite(notice);

    /// <summary>There are new events in the log; remembered beside the channel, which may drop.</summary>
    internal void TellOfEvents()
    {
        Interlocked.Exchange(ref _events, 1);
        _heard.Writer.TryWrite(null);
    }
}

/// <param name="Events">There may be new events in the log.</param>
/// <param name="TimeUp">Nothing was heard: look at the row as well.</param>
/// <param name="Progress">Oldest first.</param>
internal sealed record Heard(bool Events, bool TimeUp, IReadOnlyList<ProgressNotice> Progress);
