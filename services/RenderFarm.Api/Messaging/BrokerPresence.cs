using System.Diagnostics.Metrics;
using RenderFarm.Hosting.Metrics;

namespace RenderFarm.Api.Messaging;

/// <summary>Whether the broker is there, as told by the one endpoint that every API process has: whoever only sends waits for it.</summary>
internal sealed class BrokerPresence
{
    private volatile TaskCompletionSource<CancellationToken> _there = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BrokerPresence(IMeterFactory meters) =>
        meters.Create(ApiInstruments.Meter).Observe(ApiInstruments.BrokerUp, () => IsHere ? 1 : 0);

    private bool IsHere => _there.Task.IsCompletedSuccessfully;

    /// <returns>When the broker is there; the token is cancelled when it is gone again.</returns>
    public Task<CancellationToken> WaitAsync(CancellationToken cancellationToken) => _there.Task.WaitAsync(cancellationToken);

    /// <param name="cancellationToken">Cancelled when it is gone.</param>
    public void IsThere(CancellationToken cancellationToken)
    {
        _there.TrySetResult(cancellationToken);
        cancellationToken.Register(() => _there = new(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
