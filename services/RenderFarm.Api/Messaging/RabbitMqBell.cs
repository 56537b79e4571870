using MassTransit;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Rings on the exchange of the job's VRAM class. A send waits for the broker's confirm, and with the broker down it
/// would wait for ever: it is given up after <see cref="Patience"/>, and the relay rings again later.
/// </summary>
internal sealed class RabbitMqBell(IBus bus) : IBell
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task RingAsync(string jobId, int vramClass, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        var exchange = await bus.GetSendEndpoint(new Uri($"exchange:{Bells.Queue(vramClass)}"));
        await exchange.Send(new JobQueued(jobId, Bells.ClassName(vramClass)), limit.Token);
    }
}
