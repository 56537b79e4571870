using System.Threading.Channels;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;

namespace RenderFarm.Worker.Leases;

/// <summary>
/// Tells the API of every step as it comes, for those who watch; the newest only, five times a second at most. It holds
/// no lease and is never tried again: the renewal says the same, later.
/// </summary>
internal sealed class ProgressTeller : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private readonly FarmApi _api;
    private readonly LeaseId _lease;
    private readonly TimeProvider _time;
    private readonly Channel<LeaseProgress> _newest = Channel.CreateBounded<LeaseProgress>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest }
    );
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _loop;

    public ProgressTeller(FarmApi api, LeaseId lease, TimeProvider time)
    {
        (_api, _lease, _time) = (api, lease, time);
        _loop = Task.Run(TellAsync);
    }

    public void Tell(LeaseProgress progress) => _newest.Writer.TryWrite(progress);

    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        await _loop;
        _stopped.Dispose();
    }

    private async Task TellAsync()
    {
        try
        {
            await foreach (var now in _newest.Reader.ReadAllAsync(_stopped.Token))
            {
                try
                {
                    await _api.ProgressAsync(
                        _lease,
                        new ProgressReport
                        {
                            Stage = now.Stage,
                            Step = now.Step,
                            Steps = now.Steps,
                        },
                        _stopped.Token
                    );
                }
                catch (FarmApiException)
                {
                    // Nobody is told of this step; the renewals have their own say about an API that is away
                }

                await Task.Delay(Pause, _time, _stopped.Token);
            }
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested) { }
    }
}
