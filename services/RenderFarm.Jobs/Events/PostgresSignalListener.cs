using Npgsql;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Hears, on a connection of its own, of jobs that other API processes took in. On SQLite there is only one process and
/// nothing to hear.
/// </summary>
public sealed class PostgresSignalListener(JobDatabase database, JobAnnouncer announcer, JobSignal signal) : ILoop
{
    public string Name => "job_signals";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        if (database.Listening is not { } source)
        {
            return;
        }

        try
        {
            await ListenAsync(source, standing, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && StoreFaults.IsOutage(e))
        {
            throw new StoreUnavailableException("The connection that hears of new jobs broke; polls look every few seconds meanwhile.", e);
        }
    }

    private async Task ListenAsync(NpgsqlDataSource source, LoopStanding standing, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        connection.Notification += (_, heard) => announcer.Heard(heard.Payload);
        await using (var listen = new NpgsqlCommand($"LISTEN {JobAnnouncer.Channel}", connection))
        {
            await listen.ExecuteNonQueryAsync(cancellationToken);
        }
        // Whatever was said before this connection listened is lost: everybody looks once
        signal.RaiseAll();
        standing.Well();
        while (true)
        {
            await connection.WaitAsync(cancellationToken);
        }
    }
}
