using System.Collections.Concurrent;
using System.Linq.Expressions;
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

    /// <summary>Classes that living keys may have, together: each is a label of figures.</summary>
    public const int MostClasses = 8;

    /// <summary>The class of keys that were given none.</summary>
    public const string DefaultClass = "default";
    private readonly ConcurrentDictionary<string, (ApiKey Key, long At, DateTimeOffset Ends)> _known = new();

    public static string NewSecret() => SecretPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    public Task<CreatedKey> CreateAsync(string name, KeyScopes scopes, int priorityCeiling, CancellationToken cancellationToken) =>
        CreateAsync(name, scopes, priorityCeiling, new KeyTerms(), cancellationToken);

    public Task<CreatedKey> CreateAsync(
        string name,
        KeyScopes scopes,
        int priorityCeiling,
        KeyTerms terms,
        CancellationToken cancellationToken
    ) => AddAsync(name, scopes, priorityCeiling, terms, NewSecret(), cancellationToken);

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
        var now = time.GetUtcNow();
        if (_known.TryGetValue(hash, out var cached) && time.GetElapsedTime(cached.At) < CacheFor && cached.Ends > now)
        {
            return cached.Key;
        }

        var row = await database.ReadAsync(
            db =>
                db
                    .ApiKeys.AsNoTracking()
                    .Where(IsGoodAt(now))
                    .SingleOrDefaultAsync(k => k.Hash == hash || (k.FormerHash == hash && k.FormerUntil > now), cancellationToken),
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
        var ends = row.Hash == hash ? row.ExpiresAt : Least(row.FormerUntil, row.ExpiresAt);
        _known[hash] = (key, time.GetTimestamp(), ends ?? DateTimeOffset.MaxValue);
        return key;
    }

    /// <summary>Whether the answer for it is at hand: a key that worked a moment ago.</summary>
    public bool Remembers(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return _known.TryGetValue(DigestOf(secret), out var cached)
            && time.GetElapsedTime(cached.At) < CacheFor
            && cached.Ends > time.GetUtcNow();
    }

    /// <summary>
    /// A secret that <see cref="AuthenticateAsync"/> knows no valid key for was one once: revoked, over, or followed by another. A
    /// database that was restored from before the key was made knows it not at all, which is something else: whoever holds it may be right.
    /// </summary>
    public Task<bool> IsRevokedAsync(string secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        var hash = DigestOf(secret);
        return database.ReadAsync(
            db => db.ApiKeys.AnyAsync(k => k.Hash == hash || k.FormerHash == hash, cancellationToken),
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
        Forget(id);
        return revoked == 1;
    }

    /// <summary>Changes what the edit says, and leaves the rest.</summary>
    public async Task<KeyEditResult> EditAsync(string id, KeyEdit edit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(edit);
        var result = await database.WriteAsync<KeyEditResult>(
            async db =>
            {
                if (await db.ApiKeys.SingleOrDefaultAsync(k => k.Id == id && k.RevokedAt == null, cancellationToken) is not { } row)
                {
                    return new KeyEditResult.NotFound();
                }

                if (edit.Class is { } word && await FullOfOthersAsync(db, id, word.Value, cancellationToken) is { } others)
                {
                    return new KeyEditResult.TooManyClasses(others);
                }

                edit.Onto(row);
                await db.SaveChangesAsync(cancellationToken);
                return new KeyEditResult.Edited(ToKey(row));
            },
            cancellationToken
        );
        Forget(id);
        return result;
    }

    /// <summary>
    /// A new secret. The one before it goes on for a while, so that whoever uses it has time to change; one from before that ends at once.
    /// Null: there is no such key.
    /// </summary>
    public async Task<CreatedKey?> RotateAsync(string id, TimeSpan overlap, CancellationToken cancellationToken)
    {
        var (secret, until) = (NewSecret(), time.GetUtcNow() + overlap);
        var made = await database.WriteAsync(
            async db =>
            {
                if (await db.ApiKeys.SingleOrDefaultAsync(k => k.Id == id && k.RevokedAt == null, cancellationToken) is not { } row)
                {
                    return null;
                }

                (row.FormerHash, row.FormerUntil, row.Hash) = (row.Hash, until, DigestOf(secret));
                await db.SaveChangesAsync(cancellationToken);
                return new CreatedKey(ToKey(row), secret);
            },
            cancellationToken
        );
        Forget(id);
        return made;
    }

    /// <summary>The classes there are, where one more would be too many; null where the class is one of them or there is room.</summary>
    public Task<IReadOnlyList<string>?> ClassesIfFullAsync(string? word, CancellationToken cancellationToken) =>
        database.ReadAsync(db => FullOfOthersAsync(db, null, word, cancellationToken), cancellationToken);

    private static async Task<IReadOnlyList<string>?> FullOfOthersAsync(
        JobsDbContext db,
        string? id,
        string? word,
        CancellationToken cancellationToken
    )
    {
        var others = await db
            .ApiKeys.Where(k => k.RevokedAt == null && k.Id != id && k.Class != null)
            .Select(k => k.Class!)
            .Distinct()
            .ToListAsync(cancellationToken);
        var all = others.Append(DefaultClass).Distinct().Order(StringComparer.Ordinal).ToList();
        return word is null || all.Contains(word) || all.Count < MostClasses ? null : all;
    }

    internal static Expression<Func<ApiKeyRow, bool>> IsGoodAt(DateTimeOffset now) =>
        key => key.RevokedAt == null && (key.ExpiresAt == null || key.ExpiresAt > now);

    private static DateTimeOffset? Least(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    /// <summary>In this process; in others an answer is kept for <see cref="CacheFor"/>.</summary>
    private void Forget(string id)
    {
        foreach (var (hash, (key, _, _)) in _known)
        {
            if (key.Id == id)
            {
                _known.TryRemove(hash, out _);
            }
        }
    }

    /// <summary>Adds a key with a secret from elsewhere; a secret that is known already stays as it is.</summary>
    internal Task<CreatedKey> AddAsync(
        string name,
        KeyScopes scopes,
        int priorityCeiling,
        KeyTerms terms,
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
                    new NewKey(NewId(now), name, hash, scopes, now) { PriorityCeiling = priorityCeiling, Terms = terms },
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
                requests_per_minute, class, expires_at, virtual_time, created_at)
            VALUES (@id, @name, @hash, @scopes, @worker, @ceiling, @queued, @running, @per_day, @per_minute, @class, @expires, 0, @now)
            ON CONFLICT (hash) DO NOTHING
            """,
            cancellationToken,
            ("id", key.Id),
            ("name", key.Name),
            ("hash", key.Hash),
            ("scopes", (int)key.Scopes),
            ("worker", key.WorkerId),
            ("ceiling", key.PriorityCeiling),
            ("queued", key.Terms.Limits.Queued),
            ("running", key.Terms.Limits.Running),
            ("per_day", key.Terms.Limits.PerDay),
            ("per_minute", key.Terms.Limits.RequestsPerMinute),
            ("class", key.Terms.Class),
            ("expires", key.Terms.ExpiresAt is { } expires ? db.Dialect.Time(expires) : null),
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
            Class = row.Class,
            ExpiresAt = row.ExpiresAt,
            FormerUntil = row.FormerUntil,
            CreatedAt = row.CreatedAt,
        };
}

/// <summary>A key as it is written first.</summary>
/// <param name="Hash">Of its secret.</param>
internal sealed record NewKey(string Id, string Name, string Hash, KeyScopes Scopes, DateTimeOffset CreatedAt)
{
    public string? WorkerId { get; init; }
    public int PriorityCeiling { get; init; }
    public KeyTerms Terms { get; init; } = new();
}
