using System.Threading.Channels;
using MassTransit;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Messaging;

/// <summary>Takes the word that a running job is to stop to the worker that has it. A hint: the reply of its renewal says the
/// same.</summary>
public interface ICancelCourier
{
    /// <summary>Returns at once. Does nothing for a job that no worker holds or that nobody wants stopped.</summary>
    void TellWorkerOf(Job job);
}

/// <summary>Without a broker the renewal alone brings it, within three seconds.</summary>
public sealed class RenewalCourier : ICancelCourier
{
    public void TellWorkerOf(Job job) { }
}

/// <summary>Sends to the worker's control queue. A cancellation that can't be sent in time is dropped, for the renewal has told by
/// then.</summary>
public sealed partial class RabbitMqCourier(IBus bus, ILogger<RabbitMqCourier> logger) : BackgroundService, ICancelCourier
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private readonly Channel<(string Worker, CancelAttempt Message)> _outgoing = Channel.CreateBounded<(string, CancelAttempt)>(
        new BoundedChannelOptions(256) { FullMode = BoundedChannelFullMode.DropOldest }
    );

    public void TellWorkerOf(Job job)
    {
        if (job is { CancelRequested: true, FinishedAt: null, WorkerId: { } worker })
        {
            _outgoing.Writer.TryWrite((worker, new CancelAttempt(job.Id, job.Fence)));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var stop = stoppingToken.Register(() => _outgoing.Writer.TryComplete());
        await foreach (var (worker, message) in _outgoing.Reader.ReadAllAsync(CancellationToken.None))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            limit.CancelAfter(Patience);
            try
            {
                var queue = await bus.GetSendEndpoint(new Uri($"exchange:{Bells.ControlQueue(worker)}"));
                await queue.Send(message, limit.Token);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogUnsent(message.JobId, worker, e.Message);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Cancellation of {JobId} could not be sent to worker {Worker}; its next renewal tells it. {Cause}"
    )]
    private partial void LogUnsent(string jobId, string worker, string cause);
}
