using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Takes back jobs whose lease ran out, unless it may have been the farm that was away: then workers could not renew, and get the
/// time to do so before their healthy renders are lost.
/// </summary>
/// <remarks>
/// The farm was away when the store did not answer; when no reaper passed for half a lease, because the API was stopped or frozen
/// (when one last passed, in whatever process, is in the store); and when no worker at all was heard of for as long, as in a network
/// that is cut: while that lasts nobody could take a job over either, and nothing is taken back. Afterwards a lease must be found
/// overdue at <see cref="GraceLooks"/> looks more. Looks are counted and not seconds: a process that is frozen again has not looked,
/// and a slow one takes longer, but not for ever. What ran out meanwhile counts as nobody's failure.
/// </remarks>
public sealed class LeaseReaper(
    JobDatabase database,
    LeaseEndings endings,
    WorkerRegistry workers,
    LeaseSettings settings,
    TimeProvider time
) : ISweep
{
    /// <summary>One a second: about as long as a worker takes to get a renewal through once it can.</summary>
    public const int GraceLooks = 10;

    /// <summary>An absence of the store that costs no lease: well below what is left of one whose renewal is due.</summary>
    public static readonly TimeSpan Blip = TimeSpan.FromSeconds(5);

    /// <summary>No worker renders on for longer by itself (<c>Worker:OrphanMinutes</c>): its jobs may as well be seen waiting.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(15);

    private const int Batch = 2_000;
    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(3);

    private Dictionary<LeaseId, int> _looks = [];
    private long _lastPass = time.GetTimestamp();
    private long? _lastNote;
    private long? _backAt;
    private int _looksSinceBack;
    private bool _storeAway;
    private bool _silent;

    public string Name => "lease_reaper";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    private TimeSpan HalfALease => TimeSpan.FromSeconds(settings.LeaseSeconds / 2);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var overdue = await LookAsync(cancellationToken);
        var lost = 0;
        foreach (var lease in overdue.Where(MayBeTaken))
        {
            if (await endings.LoseAsync(lease.Id, counts: !RanOutWhileAway(lease), HalfALease, cancellationToken) is not null)
            {
                lost++;
            }
        }

        return lost;
    }

    private bool IsGrace => _backAt is not null && _looksSinceBack <= GraceLooks;

    private bool MayBeTaken(Overdue lease) => lease.CancelWished || (!_silent && (!IsGrace || _looks[lease.Id] > GraceLooks));

    private bool RanOutWhileAway(Overdue lease) =>
        _backAt is { } back && lease.For + (Every * GraceLooks) >= time.GetElapsedTime(back);

    private async Task<List<Overdue>> LookAsync(CancellationToken cancellationToken)
    {
        List<Overdue> overdue;
        TimeSpan? sinceAnyPass;
        try
        {
            (overdue, sinceAnyPass) = await database.ReadAsync(
                async db => (await OverdueAsync(db, cancellationToken), await SinceAnyPassAsync(db, cancellationToken)),
                cancellationToken
            );
            await NoteAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            _storeAway = true;
            throw;
        }

        var sinceOwn = time.GetElapsedTime(_lastPass);
        var (silence, fromTheStart) = workers.Silence;
        var silent = (fromTheStart || silence >= HalfALease) && silence < LongestSilence;
        var isBack =
            (_storeAway && sinceOwn >= Blip)
            || sinceOwn >= HalfALease
            || sinceAnyPass is null
            || sinceAnyPass >= HalfALease
            || _silent && !silent;
        (_storeAway, _silent, _lastPass) = (false, silent, time.GetTimestamp());
        if (isBack)
        {
            (_backAt, _looksSinceBack) = (_lastPass, 0);
        }

        if (!silent)
        {
            _looksSinceBack++;
            _looks = overdue.ToDictionary(lease => lease.Id, lease => _looks.GetValueOrDefault(lease.Id) + 1);
        }

        return overdue;
    }

    private async Task NoteAsync(CancellationToken cancellationToken)
    {
        if (_lastNote is { } noted && time.GetElapsedTime(noted) < NoteEvery)
        {
            return;
        }

        await database.WriteAsync(
            db =>
                db.ExecuteAsync(
                    $"""
                    INSERT INTO sweep_passes (name, passed_at) VALUES (@name, {db.Dialect.Now})
                    ON CONFLICT (name) DO UPDATE SET passed_at = excluded.passed_at
                    """,
                    cancellationToken,
                    ("name", Name)
                ),
            cancellationToken
        );
        _lastNote = time.GetTimestamp();
    }

    private async Task<TimeSpan?> SinceAnyPassAsync(JobsDbContext db, CancellationToken cancellationToken)
    {
        var passed = await db.RowsAsync(
            $"SELECT {db.Dialect.SecondsSince("passed_at")} FROM sweep_passes WHERE name = @name",
            row => TimeSpan.FromSeconds(row.GetDouble(0)),
            cancellationToken,
            ("name", Name)
        );
        return passed.Count == 0 ? null : passed[0];
    }

    private static Task<List<Overdue>> OverdueAsync(JobsDbContext db, CancellationToken cancellationToken) =>
        db.RowsAsync(
            $"""
            SELECT id, fence, token, {db.Dialect.SecondsSince("lease_until")}, cancel_requested_at IS NOT NULL FROM jobs
            WHERE {JobTransitions.Held} AND lease_until < {db.Dialect.Now} LIMIT {Batch}
            """,
            row => new Overdue(
                new LeaseId(row.GetString(0), row.GetInt64(1), LeaseToken.Parse(row.GetString(2))),
                TimeSpan.FromSeconds(row.GetDouble(3)),
                row.GetBoolean(4)
            ),
            cancellationToken
        );

    /// <param name="For">Since it ran out, by the database's clock.</param>
    /// <param name="CancelWished">Nobody waits for what its worker may bring.</param>
    private sealed record Overdue(LeaseId Id, TimeSpan For, bool CancelWished);
}
