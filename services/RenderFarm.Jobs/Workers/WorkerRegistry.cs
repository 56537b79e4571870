using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>Who is there, what they hold, and every model the farm has ever seen.</summary>
public sealed class WorkerRegistry(JobDatabase database, TimeProvider time)
{
    /// <summary>A worker that was not heard of for this long counts as gone; its leases run out on their own.</summary>
    public static readonly TimeSpan LiveFor = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan SeenEvery = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<string, long> _lastTouch = new();
    private volatile KnownFleet? _fleet;
    private readonly long _began = time.GetTimestamp();
    private long _heardAt = long.MinValue;

    /// <summary>For how long this process has heard of no worker at all; one that is new, since it began.</summary>
    internal (TimeSpan For, bool IsFromTheStart) Silence =>
        Volatile.Read(ref _heardAt) is var at && at == long.MinValue
            ? (time.GetElapsedTime(_began), true)
            : (time.GetElapsedTime(at), false);

    /// <summary>The worker's id: the same for every registration of the same identity. A drain ordered earlier stands.</summary>
    /// <param name="request">Who it is and what it has.</param>
    /// <param name="key">Speaks for it from now on; see <see cref="WorkerRights"/>.</param>
    /// <param name="cancellationToken">Of the request.</param>
    /// <exception cref="IdentityInUseException">Another start of this identity is at work.</exception>
    /// <exception cref="WrongWorkerException">The key is another worker's, or the worker has a key of its own.</exception>
    /// <exception cref="WorkerRevokedException">It was taken out of the farm.</exception>
    public async Task<string> RegisterAsync(RegisterWorkerRequest request, ApiKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(key);
        Volatile.Write(ref _heardAt, time.GetTimestamp());
        var id = await database.WriteAsync(db => WriteAsync(db, request, key, cancellationToken), cancellationToken);
        _fleet = null;
        return id;
    }

    private async Task<string> WriteAsync(
        JobsDbContext db,
        RegisterWorkerRequest request,
        ApiKey key,
        CancellationToken cancellationToken
    )
    {
        var now = db.Dialect.Time(time.GetUtcNow());
        if (
            key.WorkerId is { } own
            && !await db.Workers.AnyAsync(w => w.Id == own && w.Identity == request.Identity, cancellationToken)
        )
        {
            throw new WrongWorkerException(
                "This key was made for another installation than this data directory is. A copy of a worker joins by an invitation of its "
                    + "own: delete the files 'farm.json' and 'identity' in the copy first."
            );
        }

        // One that was known by its name alone is known by its identity from now on
        await db.ExecuteAsync(
            """
            UPDATE workers SET identity = @identity WHERE name = @name AND identity IS NULL AND key_id IS NULL
                AND NOT EXISTS (SELECT 1 FROM workers w WHERE w.identity = @identity)
            """,
            cancellationToken,
            ("identity", request.Identity),
            ("name", request.Name)
        );
        var id = (
            await db.RowsAsync(
                """
                INSERT INTO workers (id, identity, key_id, instance, place, name, host, version, slots, draining, registered_at, seen_at)
                VALUES (@id, @identity, @key, @instance, @place, @name, @host, @version, @slots, FALSE, @now, @now)
                ON CONFLICT (identity) DO UPDATE SET key_id = excluded.key_id, instance = excluded.instance, place = excluded.place,
                    name = excluded.name, host = excluded.host, version = excluded.version, slots = excluded.slots,
                    registered_at = excluded.registered_at, seen_at = excluded.seen_at, left_at = NULL
                WHERE workers.revoked_at IS NULL
                    AND (workers.key_id IS NULL OR workers.key_id = excluded.key_id OR NOT EXISTS (
                        SELECT 1 FROM api_keys k WHERE k.id = workers.key_id AND k.worker_id IS NOT NULL AND k.revoked_at IS NULL))
                    AND (workers.instance IS NULL OR workers.instance = excluded.instance OR workers.place = excluded.place
                        OR workers.seen_at < @gone OR workers.left_at IS NOT NULL)
                RETURNING id
                """,
                row => row.GetString(0),
                cancellationToken,
                ("id", NewId(time.GetUtcNow())),
                ("identity", request.Identity),
                ("key", key.Id),
                ("instance", request.Instance),
                ("place", request.Place),
                ("gone", db.Dialect.Time(time.GetUtcNow() - LiveFor)),
                ("name", request.Name),
                ("host", request.Host),
                ("version", request.Version),
                ("slots", JsonSerializer.Serialize(request.Slots.ToArray(), JobsJson.Default.SlotDescriptionArray)),
                ("now", now)
            )
        ).SingleOrDefault();
        if (id is null)
        {
            var holder = await db.Workers.AsNoTracking().SingleAsync(w => w.Identity == request.Identity, cancellationToken);
            throw await RefusalAsync(db, holder, key, cancellationToken);
        }

        await SlotRecord.ReportedAsync(db, id, request, time.GetUtcNow(), cancellationToken);
        await db.ExecuteAsync("DELETE FROM worker_models WHERE worker_id = @id", cancellationToken, ("id", id));
        // In one order everywhere, so that two workers registering the same models don't wait for each other in a ring
        foreach (var model in request.Models.DistinctBy(m => m.Id).OrderBy(m => m.Id, StringComparer.Ordinal))
        {
            await db.ExecuteAsync(
                """
                INSERT INTO models (id, registration, first_seen_at, seen_at) VALUES (@model, @registration, @now, @now)
                ON CONFLICT (id) DO UPDATE SET registration = excluded.registration, seen_at = excluded.seen_at
                """,
                cancellationToken,
                ("model", model.Id),
                ("now", now),
                ("registration", JsonSerializer.Serialize(model with { Files = [] }, JobsJson.Default.ModelRegistration))
            );
            await db.ExecuteAsync(
                "INSERT INTO worker_models (worker_id, model_id, files, is_whole) VALUES (@id, @model, @files, @whole)",
                cancellationToken,
                ("id", id),
                ("model", model.Id),
                (
                    "files",
                    model.Files.Count > 0 ? JsonSerializer.Serialize([.. model.Files], JobsJson.Default.ModelFileArray) : null
                ),
                ("whole", model.Files.All(file => file.State == ModelFileState.There))
            );
        }
        return id;
    }

    internal static string NewId(DateTimeOffset now) => "worker_" + Guid.CreateVersion7(now).ToString("N");

    private async Task<Exception> RefusalAsync(JobsDbContext db, WorkerRow holder, ApiKey key, CancellationToken cancellationToken) =>
        holder.RevokedAt is not null ? new WorkerRevokedException(NameOf(holder))
        : holder.KeyId != key.Id
        && await db.ApiKeys.AnyAsync(k => k.Id == holder.KeyId && k.WorkerId != null && k.RevokedAt == null, cancellationToken)
            ? new WrongWorkerException($"Worker '{NameOf(holder)}' has a key of its own, and this is another one.")
        : new IdentityInUseException(NameOf(holder), holder.Host, holder.SeenAt + LiveFor - time.GetUtcNow());

    private static string NameOf(WorkerRow row) => row.GivenName ?? row.Name;

    /// <summary>Null for an id that never registered here, or was revoked.</summary>
    public Task<FarmWorker?> FindAsync(string workerId, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async db =>
            {
                var found = await db
                    .Workers.AsNoTracking()
                    .Where(w => w.Id == workerId && w.RevokedAt == null)
                    .Select(w => new
                    {
                        Worker = w,
                        Models = db.WorkerModels.Where(m => m.WorkerId == w.Id).Select(m => m.ModelId).ToList(),
                        Quarantines = db.SlotQuarantines.Where(q => q.WorkerId == w.Id).ToList(),
                    })
                    .SingleOrDefaultAsync(cancellationToken);
                return found is null ? null : ToWorker(found.Worker, found.Models, found.Quarantines);
            },
            cancellationToken
        );

    public Task<IReadOnlyList<FarmWorker>> ListAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<FarmWorker>>(
            async db =>
            {
                var rows = await db
                    .Workers.AsNoTracking()
                    .Where(w => w.RevokedAt == null)
                    .OrderBy(w => w.GivenName ?? w.Name)
                    .Select(w => new
                    {
                        Worker = w,
                        Models = db.WorkerModels.Where(m => m.WorkerId == w.Id).Select(m => m.ModelId).ToList(),
                        Quarantines = db.SlotQuarantines.Where(q => q.WorkerId == w.Id).ToList(),
                    })
                    .ToListAsync(cancellationToken);
                return rows.ConvertAll(row => ToWorker(row.Worker, row.Models, row.Quarantines));
            },
            cancellationToken
        );

    /// <summary>As of a few seconds ago: it decides an order, not a right.</summary>
    public async Task<Fleet> FleetAsync(CancellationToken cancellationToken)
    {
        if (_fleet is { } known && time.GetElapsedTime(known.At) < SeenEvery)
        {
            return known.Fleet;
        }

        var at = time.GetTimestamp();
        var fleet = new Fleet(await ListAsync(cancellationToken));
        _fleet = new KnownFleet(fleet, at);
        return fleet;
    }

    /// <summary>What anybody may do has changed: the next who asks looks again.</summary>
    internal void FleetChanged() => _fleet = null;

    /// <summary>Drain: no new lease, running jobs finish. False for an unknown worker.</summary>
    public async Task<bool> SetDrainingAsync(string workerId, bool draining, CancellationToken cancellationToken)
    {
        var found =
            await database.WriteAsync(
                db =>
                    db.Workers.Where(w => w.Id == workerId && w.RevokedAt == null)
                        .ExecuteUpdateAsync(set => set.SetProperty(w => w.Draining, draining), cancellationToken),
                cancellationToken
            ) == 1;
        _fleet = null;
        return found;
    }

    /// <summary>It ends, and holds nothing any more: it is not there from now on. False, and nothing: an earlier start says so.</summary>
    public async Task<bool> LeftAsync(string workerId, string instance, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var noted =
            await database.WriteAsync(
                db =>
                    db.Workers.Where(w => w.Id == workerId && w.Instance == instance)
                        .ExecuteUpdateAsync(set => set.SetProperty(w => w.LeftAt, now).SetProperty(w => w.SeenAt, now), cancellationToken),
                cancellationToken
            ) == 1;
        _fleet = null;
        return noted;
    }

    /// <summary>What an operator calls it from now on; null: what it calls itself. False for an unknown worker.</summary>
    public async Task<bool> RenameAsync(string workerId, string? name, CancellationToken cancellationToken)
    {
        var found =
            await database.WriteAsync(
                db =>
                    db.Workers.Where(w => w.Id == workerId && w.RevokedAt == null)
                        .ExecuteUpdateAsync(set => set.SetProperty(w => w.GivenName, name), cancellationToken),
                cancellationToken
            ) == 1;
        _fleet = null;
        return found;
    }

    /// <summary>The ids of workers that were taken out of the farm.</summary>
    public Task<IReadOnlyList<string>> RevokedAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<string>>(
            async db => await db.Workers.Where(w => w.RevokedAt != null).Select(w => w.Id).ToListAsync(cancellationToken),
            cancellationToken,
            StorePatience.Many
        );

    /// <summary>Notes a sign of life; most calls come too soon after the one before to be worth a write.</summary>
    public async Task SeenAsync(string workerId, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        Volatile.Write(ref _heardAt, now);
        if (_lastTouch.TryGetValue(workerId, out var last) && time.GetElapsedTime(last, now) < SeenEvery)
        {
            return;
        }

        _lastTouch[workerId] = now;
        var at = time.GetUtcNow();
        await database.WriteAsync(
            db => db.Workers.Where(w => w.Id == workerId).ExecuteUpdateAsync(set => set.SetProperty(w => w.SeenAt, at), cancellationToken),
            cancellationToken
        );
    }

    /// <summary>Null for a model that no worker ever registered: a request for it is refused.</summary>
    public async Task<KnownModel?> FindModelAsync(string modelId, CancellationToken cancellationToken) =>
        (await ModelsAsync(modelId, cancellationToken)).SingleOrDefault();

    /// <summary>Every model ever registered, by id.</summary>
    public Task<IReadOnlyList<KnownModel>> ModelsAsync(CancellationToken cancellationToken) => ModelsAsync(null, cancellationToken);

    private Task<IReadOnlyList<KnownModel>> ModelsAsync(string? only, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<KnownModel>>(
            async db =>
            {
                var liveSince = time.GetUtcNow() - LiveFor;
                var rows = await db
                    .Models.AsNoTracking()
                    .Where(m => only == null || m.Id == only)
                    .OrderBy(m => m.Id)
                    .Select(m => new
                    {
                        Model = m,
                        Live = db.WorkerModels.Count(h =>
                            h.ModelId == m.Id
                            && db.Workers.Any(w =>
                                w.Id == h.WorkerId && w.SeenAt >= liveSince && w.LeftAt == null && w.RevokedAt == null
                            )
                        ),
                        Whole = db.WorkerModels.Count(h =>
                            h.ModelId == m.Id
                            && h.IsWhole
                            && db.Workers.Any(w =>
                                w.Id == h.WorkerId && w.SeenAt >= liveSince && w.LeftAt == null && w.RevokedAt == null
                            )
                        ),
                    })
                    .ToListAsync(cancellationToken);
                return rows.ConvertAll(row => new KnownModel(
                    JsonSerializer.Deserialize(row.Model.Registration, JobsJson.Default.ModelRegistration)!,
                    row.Model.FirstSeenAt,
                    row.Model.SeenAt,
                    row.Live,
                    row.Whole
                ));
            },
            cancellationToken
        );

    private sealed record KnownFleet(Fleet Fleet, long At);

    private FarmWorker ToWorker(WorkerRow row, List<string> models, List<SlotQuarantineRow> quarantines) =>
        new()
        {
            Id = row.Id,
            Instance = row.Instance,
            Name = NameOf(row),
            Host = row.Host,
            Version = row.Version,
            Slots = JsonSerializer.Deserialize(row.Slots, JobsJson.Default.SlotDescriptionArray)!,
            Models = models,
            Quarantines = quarantines
                .OrderBy(q => q.By)
                .DistinctBy(q => q.SlotId)
                .ToDictionary(q => q.SlotId, q => new SlotQuarantine(q.Reason, q.Since.ToUnixTimeSeconds(), q.By)),
            Draining = row.Draining,
            RegisteredAt = row.RegisteredAt,
            SeenAt = row.SeenAt,
            IsLive = row.SeenAt >= time.GetUtcNow() - LiveFor && row.LeftAt is null,
            HasLeft = row.LeftAt is not null,
        };
}

public sealed record FarmWorker
{
    public required string Id { get; init; }

    /// <summary>Its newest start.</summary>
    public required string? Instance { get; init; }
    public required string Name { get; init; }
    public required string Host { get; init; }
    public required string Version { get; init; }
    public required IReadOnlyList<SlotDescription> Slots { get; init; }
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>By slot; what its worker says goes before what the farm does.</summary>
    public required IReadOnlyDictionary<string, SlotQuarantine> Quarantines { get; init; }
    public required bool Draining { get; init; }
    public required DateTimeOffset RegisteredAt { get; init; }
    public required DateTimeOffset SeenAt { get; init; }
    public required bool IsLive { get; init; }

    /// <summary>It has said good-bye: nobody need look for it.</summary>
    public bool HasLeft { get; init; }

    /// <summary>Null: it takes jobs.</summary>
    public SlotQuarantine? QuarantineOf(string slotId) => Quarantines.GetValueOrDefault(slotId);

    public WorkerStatus Status =>
        HasLeft ? WorkerStatus.Stopped
        : !IsLive ? WorkerStatus.Gone
        : Draining ? WorkerStatus.Draining
        : WorkerStatus.Live;
}

/// <param name="LiveWorkers">0: requests are accepted with a note, and wait.</param>
/// <param name="WholeWorkers">Those of them that have every file of it.</param>
public sealed record KnownModel(
    ModelRegistration Registration,
    DateTimeOffset FirstSeenAt,
    DateTimeOffset SeenAt,
    int LiveWorkers,
    int WholeWorkers
);
