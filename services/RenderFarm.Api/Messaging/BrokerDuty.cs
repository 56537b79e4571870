using RabbitMQ.Client;
using RenderFarm.Api.Hosting;

namespace RenderFarm.Api.Messaging;

/// <summary>Something that lives on a channel of its own: begun anew, from its declarations on, whenever the channel or the broker is gone.
/// What it does touches the job store, so that is waited for first.</summary>
public abstract partial class BrokerDuty(BrokerConnection broker, Readiness readiness, TimeProvider time, ILogger logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected virtual CreateChannelOptions Channel { get; } =
        new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);

    /// <summary>Runs until the token, which also says that the channel is gone.</summary>
    protected abstract Task RunAsync(IChannel channel, CancellationToken gone);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        var away = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var connection = await broker.OpenAsync(stoppingToken);
                await using var channel = await connection.CreateChannelAsync(Channel, stoppingToken);
                using var gone = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                channel.ChannelShutdownAsync += (_, _) => gone.CancelAsync();
                if (away)
                {
                    LogBack(GetType().Name);
                    away = false;
                }

                await RunAsync(channel, gone.Token);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever a broker's client throws, and the store's outages: this goes on until both are there.
                if (!away && e is not OperationCanceledException)
                {
                    LogAway(GetType().Name, e.Message);
                    away = true;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Duty} has no broker and tries again every second: {Cause}")]
    private partial void LogAway(string duty, string cause);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Duty} is on the broker again")]
    private partial void LogBack(string duty);
}
