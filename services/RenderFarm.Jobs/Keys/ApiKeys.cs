using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Keys;

/// <summary>
/// API keys. A secret has 256 random bits, so a plain SHA-256 of it is safe to store and cheap to look up. Answers are
/// kept for a short while: a revoked key stops working everywhere within <see cref="CacheFor"/>.
/// </summary>
public sealed class ApiKeys(JobDatabase database, TimeProvider time)
{
    public const string SecretPrefix = "rf_";
    public static readonly TimeSpan CacheFor = TimeSpan.FromSeconds(15);
    private const int CacheLimit = 10_000;
    private readonly ConcurrentDictionary<string, (ApiKey Key, long At)> _known = new();

    public static string NewSecret() => SecretPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public Task<CreatedKey> CreateAsync(string name, KeyScopes scopes, int priorityCeiling, CancellationToken cancellationToken) =>
        CreateAsync(name, scopes, priorityCeiling, KeyLimits.None, cancellationToken);

    public Task<CreatedKey> CreateAsync(
        string name,
        KeyScopes scopes,
        int priorityCeiling,
        KeyLimits limits,
        CancellationToken cancellationToken
    ) => AddAsync(name, scopes, priorityCeiling, limits, NewSecret(), cancellationToken);

    /// <summary>Null for a secret that no valid key has.</summary>
    public async Task<ApiKey?> AuthenticateAsync(string secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        // A wrong secret costs one digest and one look-up, and is not remembered: nobody can fill the cache with guesses
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var hash = DigestOf(secret);
        if (_known.TryGetValue(hash, out var cached) && time.GetElapsedTime(cached.At) < CacheFor)
        {
            return cached.Key;
        }

        var row = await database.ReadAsync(
            db => db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash && k.RevokedAt == null, cancellationToken),
            cancellationToken
        );
        if (row is null)
        {
            _known.TryRemove(hash, out _);
            return null;
        }
        if (_known.Count >= CacheLimit)
        {
            _known.Clear();
        }

        var key = ToKey(row);
        _known[hash] = (key, time.GetTimestamp());
        return key;
    }

    /// <summary>Whether the answer for it is at hand: a key that worked a moment ago.</summary>
    public bool Remembers(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return _known.TryGetValue(DigestOf(secret), out var cached) && time.GetElapsedTime(cached.At) < CacheFor;
    }

    /// <summary>
    /// A secret that <see cref="AuthenticateAsync"/> knows no valid key for was one once. A database that was restored from before the
    /// key was made knows it not at all, which is something else: whoever holds it may be right.
    /// </summary>
    public Task<bool> IsRevokedAsync(string secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var hash = DigestOf(secret);
        return database.ReadAsync(
            db => db.ApiKeys.AnyAsync(k => k.Hash == hash && k.RevokedAt != null, cancellationToken),
            cancellationToken
        );
    }

    public Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<ApiKey>>(
            async db =>
                (
                    await db.ApiKeys.AsNoTracking().Where(k => k.RevokedAt == null).OrderBy(k => k.Id).ToListAsync(cancellationToken)
                ).ConvertAll(ToKey),
            cancellationToken
        );

    /// <summary>What every key has queued, running, and submitted today, by key id; a key with nothing of them may be absent.</summary>
    public Task<IReadOnlyDictionary<string, KeyUsage>> UsageAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyDictionary<string, KeyUsage>>(
            async db =>
            {
                var day = (int)(time.GetUtcNow().ToUnixTimeSeconds() / 86_400);
                var open = await db
                    .Jobs.Where(JobTransitions.IsQueuedOrRunning)
                    .GroupBy(j => new { j.KeyId, IsQueued = j.State == JobState.Queued })
                    .Select(g => new
                    {
                        g.Key.KeyId,
                        g.Key.IsQueued,
                        Count = g.Count(),
                    })
                    .ToListAsync(cancellationToken);
                var today = await db.ApiKeys.Where(k => k.Day == day).Select(k => new { k.Id, k.DayJobs }).ToListAsync(cancellationToken);
                return open.Select(o => o.KeyId)
                    .Union(today.Select(t => t.Id))
                    .ToDictionary(
                        id => id,
                        id => new KeyUsage(
                            open.FirstOrDefault(o => o.KeyId == id && o.IsQueued)?.Count ?? 0,
                            open.FirstOrDefault(o => o.KeyId == id && !o.IsQueued)?.Count ?? 0,
                            today.FirstOrDefault(t => t.Id == id)?.DayJobs ?? 0
                        )
                    );
            },
            cancellationToken
        );

    /// <summary>False when there is no such key. Its jobs stay.</summary>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var revoked = await database.WriteAsync(
            db =>
                db.ApiKeys.Where(k => k.Id == id && k.RevokedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), cancellationToken),
            cancellationToken
        );
        foreach (var (hash, (key, _)) in _known)
        {
            if (key.Id == id)
            {
                _known.TryRemove(hash, out _);
            }
        }

        return revoked == 1;
    }

    /// <summary>Adds a key with a secret from elsewhere; a secret that is known already stays as it is.</summary>
    internal Task<CreatedKey> AddAsync(
        string name,
        KeyScopes scopes,
        int priorityCeiling,
        KeyLimits limits,
        string secret,
        CancellationToken cancellationToken
    ) =>
        database.WriteAsync(
            async db =>
            {
                var now = time.GetUtcNow();
                var hash = DigestOf(secret);
                await InsertAsync(
                    db,
                    new NewKey(NewId(now), name, hash, scopes, now) { PriorityCeiling = priorityCeiling, Limits = limits },
                    cancellationToken
                );
                return new CreatedKey(ToKey(await db.ApiKeys.AsNoTracking().SingleAsync(k => k.Hash == hash, cancellationToken)), secret);
            },
            cancellationToken
        );

    internal static string NewId(DateTimeOffset now) => "key_" + Guid.CreateVersion7(now).ToString("N");

    /// <summary>What is kept of a secret.</summary>
    internal static string DigestOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    /// <summary>A digest that is known already stays as it is.</summary>
    internal static Task InsertAsync(JobsDbContext db, NewKey key, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            """
            INSERT INTO api_keys (id, name, hash, scopes, worker_id, priority_ceiling, max_queued, max_running, max_per_day,
                requests_per_minute, virtual_time, created_at)
            VALUES (@id, @name, @hash, @scopes, @worker, @ceiling, @queued, @running, @per_day, @per_minute, 0, @now)
            ON CONFLICT (hash) DO NOTHING
            """,
            cancellationToken,
            ("id", key.Id),
            ("name", key.Name),
            ("hash", key.Hash),
            ("scopes", (int)key.Scopes),
            ("worker", key.WorkerId),
            ("ceiling", key.PriorityCeiling),
            ("queued", key.Limits.Queued),
            ("running", key.Limits.Running),
            ("per_day", key.Limits.PerDay),
            ("per_minute", key.Limits.RequestsPerMinute),
            ("now", db.Dialect.Time(key.CreatedAt))
        );

    internal static ApiKey ToKey(ApiKeyRow row) =>
        new()
        {
            Id = row.Id,
            Name = row.Name,
            Scopes = (KeyScopes)row.Scopes,
            WorkerId = row.WorkerId,
            PriorityCeiling = row.PriorityCeiling,
            Limits = new KeyLimits
            {
                Queued = row.MaxQueued,
                Running = row.MaxRunning,
                PerDay = row.MaxPerDay,
                RequestsPerMinute = row.RequestsPerMinute,
            },
            CreatedAt = row.CreatedAt,
        };
}

/// <summary>A key as it is written first.</summary>
/// <param name="Hash">Of its secret.</param>
internal sealed record NewKey(string Id, string Name, string Hash, KeyScopes Scopes, DateTimeOffset CreatedAt)
{
    public string? WorkerId { get; init; }
    public int PriorityCeiling { get; init; }
    public KeyLimits Limits { get; init; } = KeyLimits.None;
}
