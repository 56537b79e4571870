using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Metrics;

namespace RenderFarm.Worker.Leases;

/// <summary>
/// Holds one lease: renews it, and knows when it must be taken for lost.
/// </summary>
/// <remarks>
/// The deadline is counted on the monotonic clock from the moment a successful renewal was <em>sent</em>: the API's clock
/// started at some later moment, so this side always gives up first. Giving up comes the kill margin before the deadline,
/// by a timer of its own that no hanging request can hold up. The first renewal goes out at once, because the age
/// of a grant that came through a long poll is unknown.
/// </remarks>
internal sealed class LeaseKeeper : IAsyncDisposable
{
    private readonly FarmApi _api;
    private readonly LeaseId _lease;
    private readonly LeaseSettings _settings;
    private readonly TimeProvider _time;
    private readonly WorkerMetrics _metrics;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _cancelled = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly TaskCompletionSource _confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer? _deadline;
    private readonly Task _loop;
    private readonly ProgressTeller _teller;
    private volatile LeaseProgress _progress;
    private int _disposed;

    /// <param name="strict">False for uploads: they go on past the deadline, since only the API can say that a fence has lost.</param>
    public LeaseKeeper(
        FarmApi api,
        LeaseId lease,
        double leaseSeconds,
        LeaseSettings settings,
        LeaseProgress first,
        bool strict,
        TimeProvider time,
        WorkerMetrics metrics,
        ILogger log
    )
    {
        (_api, _lease, _settings, _time, _metrics, _log, _progress) = (api, lease, settings, time, metrics, log, first);
        if (strict)
        {
            _deadline = time.CreateTimer(_ => GiveUp(), null, Allowance(leaseSeconds), Timeout.InfiniteTimeSpan);
        }

        _teller = new ProgressTeller(api, lease, time);
        _loop = Task.Run(RenewAsync);
    }

    /// <summary>The lease is not ours any more, or may not be: stop at once and report nothing.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>The user wants the job stopped.</summary>
    public CancellationToken Cancelled => _cancelled.Token;

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

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopped.CancelAsync();
        await _teller.DisposeAsync();
        if (_deadline is not null)
        {
            await _deadline.DisposeAsync();
        }

        await _loop;
        _wake.Dispose();
        _stopped.Dispose();
    }

    private async Task RenewAsync()
    {
        var leaseSeconds = _settings.LeaseSeconds;
        var planSent = false;
        while (!_stopped.IsCancellationRequested && !_lost.IsCancellationRequested)
        {
            var now = _progress;
            var sent = _time.GetTimestamp();
            TimeSpan pause;
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
                leaseSeconds = reply.LeaseSeconds;
                var left = Allowance(leaseSeconds) - _time.GetElapsedTime(sent);
                // A process that was stopped hears too late
                _ = _deadline?.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                _confirmed.TrySetResult();
                _metrics.Renewed("ok");
                DrainOrdered = reply.Drain;
                if (reply.Cancel)
                {
                    await _cancelled.CancelAsync();
                }

                pause = TimeSpan.FromSeconds(Math.Max(_settings.RenewSeconds, leaseSeconds / 20)); // Rarely when the lease is long
            }
            catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
            {
                break;
            }
            catch (LeaseLostException)
            {
                _metrics.Renewed("lost");
                _log.LeaseLost();
                await LoseAsync();
                break;
            }
            catch (FarmApiException fault)
            {
                _metrics.Renewed("failed");
                _log.RenewalFailed(_settings.RenewRetrySeconds, fault.Message);
                pause = TimeSpan.FromSeconds(_settings.RenewRetrySeconds);
            }

            await PauseAsync(pause);
        }

        _confirmed.TrySetCanceled();
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

    private TimeSpan Allowance(double leaseSeconds) => TimeSpan.FromSeconds(Math.Max(0, leaseSeconds - _settings.KillMarginSeconds));

    private void GiveUp()
    {
        if (_stopped.IsCancellationRequested)
        {
            return;
        }

        _log.LeaseOverdue();
        _ = LoseAsync();
    }

    private async Task LoseAsync()
    {
        await _lost.CancelAsync();
        _confirmed.TrySetCanceled();
    }
}
