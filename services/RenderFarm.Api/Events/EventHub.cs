using System.Collections.Concurrent;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Events;

/// <summary>
/// Brings what happens to whoever watches in this process. Lifecycle events are only pointed at (a watcher reads them
/// from the log, and so misses none); progress is handed on as it is, and the newest of each job is remembered.
/// </summary>
internal sealed class EventHub
{
    /// <summary>How long a wish for pictures holds unless it is renewed.</summary>
    public static readonly TimeSpan WishFor = TimeSpan.FromSeconds(15);

    private const int MostRemembered = 10_000;
    private readonly JobStore _jobs;
    private readonly INoticeRelay _others;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly HashSet<Watcher> _watchers = [];
    private readonly ConcurrentDictionary<string, ProgressNotice> _newest = new();
    private readonly ConcurrentDictionary<string, long> _wishes = new();

    public EventHub(JobStore jobs, EventFeed feed, INoticeRelay others, TimeProvider time)
    {
        (_jobs, _others, _time) = (jobs, others, time);
        feed.Happened += Happened;
        others.Listen(HeardAsync);
    }

    /// <param name="jobId">Null watches all jobs of the scope.</param>
    public Watcher Watch(JobScope scope, string? jobId)
    {
        var watcher = new Watcher(this, scope, jobId);
        lock (_gate)
        {
            _watchers.Add(watcher);
        }

        return watcher;
    }

    /// <summary>Null when nothing was heard of it here.</summary>
    public ProgressNotice? NewestOf(string jobId) => _newest.GetValueOrDefault(jobId);

    /// <summary>From a worker that reports to this process: for the watchers here and elsewhere.</summary>
    public async Task ReportAsync(ProgressNotice notice, CancellationToken cancellationToken)
    {
        if (await TakeAsync(notice, cancellationToken))
        {
            _others.Tell(notice);
        }
    }

    /// <summary>From another process.</summary>
    private Task HeardAsync(ProgressNotice notice, CancellationToken cancellationToken)
    {
        if (notice.IsWish)
        {
            _wishes[notice.JobId] = _time.GetTimestamp();
            return Task.CompletedTask;
        }

        return TakeAsync(notice, cancellationToken);
    }

    /// <summary>Somebody wants pictures of the job; to be said again before <see cref="WishFor"/> is over.</summary>
    public void WishForPreview(string jobId)
    {
        if (_wishes.TryGetValue(jobId, out var since) && _time.GetElapsedTime(since) < WishFor / 3)
        {
            return;
        }

        _wishes[jobId] = _time.GetTimestamp();
        _others.Tell(ProgressNotice.Wish(jobId));
    }

    public bool WantsPreview(string jobId)
    {
        if (!_wishes.TryGetValue(jobId, out var since))
        {
            return false;
        }

        if (_time.GetElapsedTime(since) < WishFor)
        {
            return true;
        }

        _wishes.TryRemove(jobId, out _);
        return false;
    }

    internal void Leave(Watcher watcher)
    {
        lock (_gate)
        {
            _watchers.Remove(watcher);
        }
    }

    /// <summary>False for a report under a fence that another has overtaken.</summary>
    private async Task<bool> TakeAsync(ProgressNotice notice, CancellationToken cancellationToken)
    {
        // A worker that has lost its lease may still talk; the pictures of the newest fence are the ones to show.
        var kept = _newest.AddOrUpdate(notice.JobId, notice, (_, before) => before.Fence > notice.Fence ? before : notice);
        if (!ReferenceEquals(kept, notice))
        {
            return false;
        }

        if (_newest.Count > MostRemembered)
        {
            _newest.Clear();
        }

        List<Watcher> here;
        lock (_gate)
        {
            here = [.. _watchers.Where(watcher => watcher.JobId is null || watcher.JobId == notice.JobId)];
        }
        // A watcher of one job was let in by its key already; for the others somebody has to know whose job this is.
        var key = here.Any(watcher => watcher is { JobId: null, Scope.KeyId: not null })
            ? (await _jobs.GetAsync(notice.JobId, JobScope.All, cancellationToken))?.KeyId
            : null;
        foreach (
            var watcher in here.Where(watcher => watcher.JobId is not null || watcher.Scope.KeyId is null || watcher.Scope.KeyId == key)
        )
        {
            watcher.Tell(notice);
        }

        return true;
    }

    private void Happened(IReadOnlyList<JobEvent> news)
    {
        foreach (var ended in news.Where(told => told.IsEnding))
        {
            _newest.TryRemove(ended.JobId, out _);
            _wishes.TryRemove(ended.JobId, out _);
        }

        lock (_gate)
        {
            foreach (var watcher in _watchers)
            {
                if (news.Any(watcher.Concerns))
                {
                    watcher.TellOfEvents();
                }
            }
        }
    }
}
