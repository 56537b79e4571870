using System.Threading.Channels;
using MassTransit;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Messages;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Sends to the worker's control queue. A cancellation that can't be sent in time is dropped, for the renewal has told by then.
/// </summary>
internal sealed partial class RabbitMqCourier(IBus bus, ILogger<RabbitMqCourier> logger) : ILoop, ICancelCourier
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private readonly Channel<(string Worker, CancelAttempt Message)> _outgoing = Channel.CreateBounded<(string, CancelAttempt)>(
        new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    public void TellWorkerOf(Job job)
    {
        if (job is { CancelRequested: true, FinishedAt: null, WorkerId: { } worker })
        {
            _outgoing.Writer.TryWrite((worker, CancelAttempt.Of(job.Lease)));
        }
    }

    public string Name => "cancel_courier";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        standing.Well();
        await foreach (var (worker, message) in _outgoing.Reader.ReadAllAsync(cancellationToken))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            try
            {
                var queue = await bus.GetSendEndpoint(new Uri($"exchange:{Bells.ControlQueue(worker)}"));
                await queue.Send(message, limit.Token);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogUnsent(message.JobId, worker, e.Message);
            }
        }
    }

    [LoggerMessage(
        EventId = 404,
        Level = LogLevel.Warning,
        Message = "Cancellation of {JobId} could not be sent to worker {Worker}; its next renewal tells it. {Cause}"
    )]
    private partial void LogUnsent(string jobId, string worker, string cause);
}
