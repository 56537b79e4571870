using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Takes back jobs whose lease ran out. After a start, and after the store was away, it keeps still for
/// <see cref="Quiet"/>: workers could not renew meanwhile, and get the time to do so before their healthy renders are lost.
/// </summary>
public sealed class LeaseReaper(JobDatabase database, LeaseEndings endings, TimeProvider time) : ISweep
{
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);
    private const int Batch = 200;
    private long _backSince = time.GetTimestamp();
    private bool _away;

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    public async Task<int> RunOnceAsync(CancellationToken cancellation)
    {
        List<(string Id, long Fence)> expired;
        try
        {
            expired = await ExpiredAsync(cancellation);
        }
        catch (StoreUnavailableException)
        {
            _away = true;
            throw;
        }
        if (_away)
        {
            _away = false;
            _backSince = time.GetTimestamp();
        }
        if (time.GetElapsedTime(_backSince) < Quiet) return 0;

        var lost = 0;
        foreach (var (id, fence) in expired)
            if (await endings.LoseAsync(id, fence, cancellation) is not null) lost++;
        return lost;
    }

    private Task<List<(string, long)>> ExpiredAsync(CancellationToken cancellation) => database.ReadAsync(db => db.RowsAsync(
        $"""
        SELECT id, fence FROM jobs
        WHERE state IN ('leased', 'rendering', 'uploading') AND lease_until < {db.Dialect.Now} LIMIT {Batch}
        """,
        row => (row.GetString(0), row.GetInt64(1)), cancellation), cancellation);
}
