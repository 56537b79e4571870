using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Leases;

/// <summary>
/// Holds one lease: renews it, and knows when it is lost. Lost is what the API says (another took the job, the key is revoked),
/// and what nobody could have confirmed for longer than <see cref="LeaseTerms.Patience"/>. In between the work goes on as an
/// orphan's: an API, a database or a network that is away is no reason to throw a render away, and the first renewal that gets
/// through says whether the job is still this worker's.
/// </summary>
/// <remarks>
/// Time is counted on the monotonic clock from the moment a successful renewal was <em>sent</em>: the API's clock started at some
/// later moment. It runs out by a timer of its own that no hanging request can hold up. The first renewal goes out at once, because
/// the age of a grant that came through a long poll is unknown; a lease that was never confirmed has no work to lose, and is given
/// up the kill margin before its end.
/// </remarks>
internal sealed class LeaseKeeper : IAsyncDisposable
{
    private readonly FarmApi _api;
    private readonly LeaseId _lease;
    private readonly LeaseTerms _terms;
    private readonly TimeProvider _time;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _cancelled = new();
    private readonly CancellationTokenSource _unknown = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly TaskCompletionSource _confirmed = Asked();
    private readonly ITimer _deadline;
    private readonly Task _loop;
    private readonly ProgressTeller _teller;
    private volatile LeaseProgress _progress;
    private TaskCompletionSource _next = Asked();
    private long _renewedAt;
    private int _loss = -1;
    private int _disposed;

    public LeaseKeeper(
        FarmApi api,
        LeaseId lease,
        LeaseTerms terms,
        LeaseProgress first,
        TimeProvider time,
        WorkerMetrics metrics,
        ILogger log
    )
    {
        (_api, _lease, _terms, _time, _metrics, _log, _progress) = (api, lease, terms, time, metrics, log, first);
        _renewedAt = time.GetTimestamp();
        _deadline = time.CreateTimer(_ => RunOut(), null, terms.Allowance(terms.LeaseSeconds), Timeout.InfiniteTimeSpan);
        _teller = new ProgressTeller(api, lease, time);
        _loop = Task.Run(RenewAsync);
    }

    /// <summary>The lease is not ours any more: stop at once and report nothing.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Why; null while it is not.</summary>
    public LeaseLoss? Loss => Volatile.Read(ref _loss) is >= 0 and var loss ? (LeaseLoss)loss : null;

    /// <summary>The user wants the job stopped.</summary>
    public CancellationToken Cancelled => _cancelled.Token;

    /// <summary>The API has no such job, as one whose database was restored from before it. The work goes on.</summary>
    public CancellationToken Unknown => _unknown.Token;

    /// <summary>An operator takes this worker out of service: no job after this one.</summary>
    public bool DrainOrdered { get; private set; }

    /// <summary>Completes with the first renewal that got through; cancelled when the lease is lost before.</summary>
    public Task Confirmed => _confirmed.Task;

    /// <summary>Kept for the next renewal, and told to whoever watches; a new stage is renewed with at once.</summary>
    public void Report(RenderStage stage, int step = 0, int steps = 0)
    {
        var before = _progress;
        var now = before with { Stage = stage, Step = step, Steps = steps };
        _progress = now;
        _teller.Tell(now);
        if (before.Stage != stage)
        {
            Wake();
        }
    }

    /// <summary>The plan goes with the next renewal, which is at once.</summary>
    public void Planned(RenderPlan plan)
    {
        _progress = _progress with { Plan = plan };
        Wake();
    }

    /// <summary>The control queue said so; the renewal would say it too, later.</summary>
    public void Cancel() => _cancelled.Cancel();

    /// <summary>Renews now, and completes when that has got through: at once, or when the API is back.</summary>
    /// <exception cref="OperationCanceledException"/>
    public Task RenewedAsync(CancellationToken cancellationToken)
    {
        var next = Volatile.Read(ref _next);
        Wake();
        return next.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopped.CancelAsync();
        await _teller.DisposeAsync();
        await _deadline.DisposeAsync();
        await _loop;
        _wake.Dispose();
        _stopped.Dispose();
    }

    private async Task RenewAsync()
    {
        var planSent = false;
        var failing = false;
        List<TaskCompletionSource> waiting = [];
        while (!_stopped.IsCancellationRequested && !_lost.IsCancellationRequested)
        {
            // Whoever asks from here on waits for the next one: this one may be on its way before the API went
            waiting.Add(Interlocked.Exchange(ref _next, Asked()));
            var now = _progress;
            var sent = _time.GetTimestamp();
            var pause = TimeSpan.FromSeconds(_terms.Settings.RenewRetrySeconds);
            try
            {
                var request = new RenewRequest
                {
                    Stage = now.Stage,
                    Step = now.Step,
                    Steps = now.Steps,
                    Plan = planSent ? null : now.Plan,
                };
                var reply = await _api.RenewAsync(_lease, request, _stopped.Token);
                planSent |= now.Plan is not null;
                DrainOrdered = reply.Drain;
                if (reply.Cancel)
                {
                    await _cancelled.CancelAsync();
                }

                if (Renewed(sent, reply.LeaseSeconds))
                {
                    // Rarely when the lease is long
                    pause = TimeSpan.FromSeconds(Math.Max(_terms.Settings.RenewSeconds, reply.LeaseSeconds / 20));
                    waiting.ForEach(one => one.TrySetResult());
                    waiting.Clear();
                }

                if (failing)
                {
                    _log.RenewsAgain();
                }

                failing = false;
            }
            catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
            {
                break;
            }
            catch (LeaseLostException)
            {
                _metrics.Renewed("lost");
                _log.LeaseLost();
                await LoseAsync(LeaseLoss.Taken);
                break;
            }
            catch (FarmApiException fault) when (fault.IsKeyRevoked)
            {
                _metrics.Renewed("lost");
                _log.KeyRevoked();
                await LoseAsync(LeaseLoss.KeyRevoked);
                break;
            }
            catch (FarmApiException fault)
            {
                _metrics.Renewed("failed");
                if (!failing)
                {
                    _log.RenewalFailed(_terms.Settings.RenewRetrySeconds, fault.Message);
                }

                failing = true;
                if (fault.IsUnknown)
                {
                    await _unknown.CancelAsync();
                }
            }

            await PauseAsync(pause);
        }

        _confirmed.TrySetCanceled();
        waiting.ForEach(one => one.TrySetCanceled());
        Volatile.Read(ref _next).TrySetCanceled();
    }

    private static TaskCompletionSource Asked() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <returns>False when the reply was read so late, as by a process that was stopped, that it says nothing of now.</returns>
    private bool Renewed(long sent, double leaseSeconds)
    {
        Volatile.Write(ref _renewedAt, sent);
        _metrics.Renewed("ok");
        _confirmed.TrySetResult();
        var left = _terms.Allowance(leaseSeconds) - _time.GetElapsedTime(sent);
        _deadline.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return left > TimeSpan.Zero;
    }

    private async Task PauseAsync(TimeSpan pause)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token, _lost.Token);
        var timer = Task.Delay(pause, _time, over.Token);
        var woken = _wake.WaitAsync(over.Token);
        await Task.WhenAny(timer, woken);
        await over.CancelAsync(); // The loser must not stay behind and eat the next wake
        await Task.WhenAll(timer, woken)
            .ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (Exception fault) when (fault is SemaphoreFullException or ObjectDisposedException)
        {
            // A wake is pending already, or there is nobody left to wake
        }
    }

    /// <summary>The lease is over by this side's clock: first the work is an orphan's, and when its patience is over too it ends.</summary>
    private void RunOut()
    {
        if (_stopped.IsCancellationRequested || _lost.IsCancellationRequested)
        {
            return;
        }

        if (!_confirmed.Task.IsCompletedSuccessfully && _terms.Patience is not null)
        {
            _log.LeaseNeverConfirmed();
            _ = LoseAsync(LeaseLoss.Unconfirmed);
            return;
        }

        if (_terms.Patience is not { } patience)
        {
            return;
        }

        var left = patience - _time.GetElapsedTime(Volatile.Read(ref _renewedAt));
        if (left > TimeSpan.Zero)
        {
            _log.Orphaned(left.TotalMinutes);
            _deadline.Change(left, Timeout.InfiniteTimeSpan);
            return;
        }

        _log.OrphanedTooLong(patience.TotalMinutes);
        _ = LoseAsync(LeaseLoss.Orphaned);
    }

    private async Task LoseAsync(LeaseLoss loss)
    {
        if (Interlocked.CompareExchange(ref _loss, (int)loss, -1) != -1)
        {
            return;
        }

        await _lost.CancelAsync();
        _confirmed.TrySetCanceled();
    }
}
