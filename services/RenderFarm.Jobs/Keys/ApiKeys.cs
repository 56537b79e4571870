using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
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

    public Task<CreatedKey> CreateAsync(string name, KeyScopes scopes, int priorityCeiling, CancellationToken cancellation) =>
        AddAsync(name, scopes, priorityCeiling, NewSecret(), cancellation);

    /// <summary>Null for a secret that no valid key has.</summary>
    public async Task<ApiKey?> AuthenticateAsync(string secret, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(secret);
        // a wrong secret costs one digest and one look-up, and is not remembered: nobody can fill the cache with guesses
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal)) return null;
        var hash = Hash(secret);
        if (_known.TryGetValue(hash, out var cached) && time.GetElapsedTime(cached.At) < CacheFor) return cached.Key;

        var row = await database.ReadAsync(db => db.ApiKeys.AsNoTracking()
            .SingleOrDefaultAsync(k => k.Hash == hash && k.RevokedAt == null, cancellation), cancellation);
        if (row is null)
        {
            _known.TryRemove(hash, out _);
            return null;
        }
        if (_known.Count >= CacheLimit) _known.Clear();
        var key = ToKey(row);
        _known[hash] = (key, time.GetTimestamp());
        return key;
    }

    public Task<IReadOnlyList<ApiKey>> ListAsync(CancellationToken cancellation) => database.ReadAsync<IReadOnlyList<ApiKey>>(async db =>
        (await db.ApiKeys.AsNoTracking().Where(k => k.RevokedAt == null).OrderBy(k => k.Id).ToListAsync(cancellation)).ConvertAll(ToKey), cancellation);

    /// <summary>False when there is no such key. Its jobs stay.</summary>
    public async Task<bool> RevokeAsync(string id, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var revoked = await database.WriteAsync(db => db.ApiKeys.Where(k => k.Id == id && k.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), cancellation), cancellation);
        foreach (var (hash, (key, _)) in _known)
            if (key.Id == id) _known.TryRemove(hash, out _);
        return revoked == 1;
    }

    /// <summary>Adds a key with a secret from elsewhere; a secret that is known already stays as it is.</summary>
    internal Task<CreatedKey> AddAsync(string name, KeyScopes scopes, int priorityCeiling, string secret, CancellationToken cancellation) =>
        database.WriteAsync(async db =>
        {
            var now = time.GetUtcNow();
            var hash = Hash(secret);
            await db.ExecuteAsync(
                """
                INSERT INTO api_keys (id, name, hash, scopes, priority_ceiling, virtual_time, created_at)
                VALUES (@id, @name, @hash, @scopes, @ceiling, 0, @now)
                ON CONFLICT (hash) DO NOTHING
                """,
                cancellation, ("id", "key_" + Guid.CreateVersion7(now).ToString("N")), ("name", name), ("hash", hash),
                ("scopes", (int)scopes), ("ceiling", priorityCeiling), ("now", db.Dialect.Time(now)));
            return new CreatedKey(ToKey(await db.ApiKeys.AsNoTracking().SingleAsync(k => k.Hash == hash, cancellation)), secret);
        }, cancellation);

    private static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static ApiKey ToKey(ApiKeyRow row) => new()
    {
        Id = row.Id,
        Name = row.Name,
        Scopes = row.Scopes,
        PriorityCeiling = row.PriorityCeiling,
        CreatedAt = row.CreatedAt,
    };
}
