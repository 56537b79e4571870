using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Takes back jobs whose lease ran out. From its first look on, and after the store was away, it takes nothing for <see cref="Quiet"/>:
/// workers could not renew meanwhile, and get the time to do so before their healthy renders are lost. An absence shorter than
/// <see cref="Blip"/>, such as a connection that broke, has cost no lease; and being slow is no absence, or a host under load would never
/// take anything back.
/// </summary>
public sealed class LeaseReaper(JobDatabase database, LeaseEndings endings, TimeProvider time) : ISweep
{
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    /// <summary>Well below what is left of a lease whose renewal was just due.</summary>
    public static readonly TimeSpan Blip = TimeSpan.FromSeconds(5);

    private const int Batch = 200;
    private long? _backSince;
    private long _lastSeen = time.GetTimestamp();
    private bool _away;

    public string Name => "lease_reaper";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var expired = await LookAsync(cancellationToken);
        if (_backSince is not { } since || time.GetElapsedTime(since) < Quiet)
        {
            return 0;
        }

        var lost = 0;
        foreach (var lease in expired)
        {
            if (await endings.LoseAsync(lease, cancellationToken) is not null)
            {
                lost++;
            }
        }

        return lost;
    }

    private async Task<List<LeaseId>> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            var expired = await ExpiredAsync(cancellationToken);
            if (_backSince is null || (_away && time.GetElapsedTime(_lastSeen) >= Blip))
            {
                _backSince = time.GetTimestamp();
            }

            (_away, _lastSeen) = (false, time.GetTimestamp());
            return expired;
        }
        catch (StoreUnavailableException)
        {
            _away = true;
            throw;
        }
    }

    private Task<List<LeaseId>> ExpiredAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            db =>
                db.RowsAsync(
                    $"""
                    SELECT id, fence, token FROM jobs
                    WHERE {JobTransitions.Held} AND lease_until < {db.Dialect.Now} LIMIT {Batch}
                    """,
                    row => new LeaseId(row.GetString(0), row.GetInt64(1), LeaseToken.Parse(row.GetString(2))),
                    cancellationToken
                ),
            cancellationToken
        );
}
