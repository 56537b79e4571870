using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Queues;

/// <summary>
/// The farm's job store on SQLite: rows, a key's turn, the lease's statement and the fair clock as they are, one transaction each. Only the
/// time is not: the connection's <c>unixepoch</c>, by which every statement tells it, is the simulation's.
/// </summary>
internal sealed class StoreQueue : IJobQueue
{
    private const double LeaseSeconds = 60;
    private readonly CardPark _park;
    private readonly string _file;
    private readonly SqliteConnection _connection;
    private readonly SqliteJobsDbContext _db;
    private readonly Dictionary<string, VideoJob> _jobs = [];
    private readonly Dictionary<string, JobRow> _leases = [];
    private readonly HashSet<string> _keys = [];
    private double _now;

    private StoreQueue(CardPark park, string file)
    {
        (_park, _file) = (park, file);
        _connection = new SqliteConnection($"Data Source={file};Pooling=False");
        _connection.Open();
        _connection.CreateFunction("unixepoch", (string _) => Moments.UnixSeconds(_now));
        _db = new SqliteJobsDbContext(new DbContextOptionsBuilder<SqliteJobsDbContext>().UseSqlite(_connection).Options);
    }

    public string Name => "store";

    /// <summary>What each lease took, in milliseconds, and how many jobs were waiting then.</summary>
    public List<(double Milliseconds, int Waiting)> Leases { get; } = [];

    public int Waiting { get; private set; }

    public static async Task<StoreQueue> CreateAsync(CardPark park)
    {
        var file = Path.Combine(Path.GetTempPath(), $"renderfarm-simulation-{Guid.NewGuid():N}.db");
        await using (var database = new JobDatabase(new StoreOptions { ConnectionString = $"Data Source={file};Pooling=False" }))
        {
            await database.MigrateAsync(CancellationToken.None);
        }

        var queue = new StoreQueue(park, file);
        // Nothing of it is kept
        await queue._db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;");
        return queue;
    }

    public Task SubmitAsync(IReadOnlyList<VideoJob> jobs, double now) =>
        CommitAsync(
            now,
            async () =>
            {
                await AddKeyAsync(jobs[0].Customer);
                foreach (var job in jobs)
                {
                    _jobs[job.Id] = job;
                }

                await JobRows.InsertAsync(
                    _db,
                    [.. jobs.Select(Request)],
                    NoPromises(jobs),
                    "simulation",
                    Moments.Time(now),
                    CancellationToken.None
                );
                Waiting += jobs.Count;
                return jobs.Count;
            }
        );

    public async Task<VideoJob?> TakeAsync(Card card, double now)
    {
        var clock = Stopwatch.GetTimestamp();
        var leased = await CommitAsync(
            now,
            () =>
                LeaseQueue.TakeAsync(
                    _db,
                    new LeaseRequest
                    {
                        WorkerId = card.Worker.Id,
                        Instance = "1",
                        SlotId = card.Kind.Slot.Id,
                        FreeBytes = card.Kind.FreeBytes,
                        CachedModels = card.CachedModel is { } cached ? [cached] : [],
                    },
                    card.Worker,
                    card.Kind.Slot,
                    _park.Fleet,
                    LeaseSeconds,
                    Moments.Time(now),
                    CancellationToken.None
                )
        );
        Leases.Add((Stopwatch.GetElapsedTime(clock).TotalMilliseconds, Waiting));
        if (leased is null)
        {
            return null;
        }

        Waiting--;
        _leases[leased.Id] = await _db.Jobs.AsNoTracking().SingleAsync(row => row.Id == leased.Id);
        return _jobs[leased.Id];
    }

    public async Task EndAsync(VideoJob job, Card card, JobEnd end, double now)
    {
        if (!_leases.Remove(job.Id, out var row))
        {
            throw new InvalidOperationException($"{job.Id} is not on a card");
        }

        var ended = await CommitAsync(
            now,
            () => JobTransitions.EndAsync(_db, row, end, Moments.Time(now), onlyIfExpired: false, CancellationToken.None)
        );
        if (!ended)
        {
            throw new InvalidOperationException($"the store did not end the lease of {job.Id}");
        }

        Waiting += end.State == Contracts.Videos.JobState.Queued ? 1 : 0;
    }

    public Task TickAsync(double now) =>
        CommitAsync(
            now,
            async () =>
            {
                var time = await FairClock.NowAsync(_db, _park.Fleet.Pairs, CancellationToken.None);
                return await FairClock.SetAsync(_db, time, CancellationToken.None);
            }
        );

    public async ValueTask DisposeAsync()
    {
        await _db.DisposeAsync();
        await _connection.DisposeAsync();
        foreach (var ending in new[] { "", "-wal", "-shm" })
        {
            File.Delete(_file + ending);
        }
    }

    /// <summary>Nobody is told when a job will begin.</summary>
    private static StartPromises NoPromises(IEnumerable<VideoJob> jobs) =>
        new(jobs.Select(job => job.Kind.Needs.Model).Distinct().ToDictionary(model => model, _ => new QueueLine([], [], 0, 0)), _ => 0);

    private static NewJob Request(VideoJob job) =>
        new()
        {
            Id = job.Id,
            KeyId = job.Customer.KeyId,
            Spec = job.Kind.Spec,
            Priority = job.Priority,
            VramClass = job.Kind.Needs.VramClass,
            LeastVramBytes = job.Kind.Needs.LeastBytes,
            EstimatedSeconds = job.Kind.Needs.EstimatedSeconds,
        };

    private async Task AddKeyAsync(Customer customer)
    {
        if (_keys.Add(customer.KeyId))
        {
            _db.ApiKeys.Add(
                new ApiKeyRow
                {
                    Id = customer.KeyId,
                    Name = customer.KeyId,
                    Hash = customer.KeyId,
                    MaxRunning = customer.MaxRunning,
                    CreatedAt = Moments.Time(_now),
                }
            );
            await _db.SaveChangesAsync();
        }
    }

    private async Task<T> CommitAsync<T>(double now, Func<Task<T>> work)
    {
        _now = now;
        _db.Begin();
        await using var transaction = await _db.Database.BeginTransactionAsync();
        var result = await work();
        await transaction.CommitAsync();
        _db.ChangeTracker.Clear();
        return result;
    }
}
