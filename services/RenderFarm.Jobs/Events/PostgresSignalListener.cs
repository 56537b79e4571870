using Microsoft.Extensions.Logging;
using Npgsql;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Hears, on a connection of its own, of jobs that other API processes took in. On SQLite there is only one process and
/// nothing to hear.
/// </summary>
public sealed partial class PostgresSignalListener(
    JobDatabase database,
    JobAnnouncer announcer,
    JobSignal signal,
    TimeProvider time,
    ILogger<PostgresSignalListener> log
) : IJobsLoop
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (database.Listening is not { } source)
        {
            return;
        }

        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(source, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is NpgsqlException or System.Net.Sockets.SocketException or IOException or TimeoutException)
            {
                Lost(e);
                if (!await LoopPause.ForAsync(Pause, time, cancellationToken))
                {
                    return;
                }
            }
        }
    }

    private async Task ListenAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, heard) => announcer.Heard(heard.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {JobAnnouncer.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken);
        }
        // Whatever was said before this connection listened is lost: everybody looks once
        signal.RaiseAll();
        while (true)
        {
            await connection.WaitAsync(cancellationToken);
        }
    }

    [LoggerMessage(
        EventId = 131,
        Level = LogLevel.Warning,
        Message = "The connection that hears of new jobs broke; polls look every few seconds until it is back."
    )]
    private partial void Lost(Exception cause);
}
