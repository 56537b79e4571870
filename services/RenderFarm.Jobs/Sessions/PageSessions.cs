using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Sessions;

/// <summary>
/// Who is signed in at the page. A session is a key's, and is as good as the key is at every moment: nothing of it is remembered in a
/// process, so that it ends with its key at once. The browser keeps a random word, the store its digest.
/// </summary>
public sealed class PageSessions(JobDatabase database, TimeProvider time)
{
    public static readonly TimeSpan LastsFor = TimeSpan.FromDays(30);
    public static readonly TimeSpan CodeLastsFor = TimeSpan.FromMinutes(10);
    public const string CodePrefix = "rfc_";
    private const string SecretPrefix = "rfs_";

    /// <summary>A session of a key that has just been shown.</summary>
    public Task<OpenedSession> OpenAsync(ApiKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return database.WriteAsync(db => OpenAsync(db, key, cancellationToken), cancellationToken);
    }

    /// <summary>A word that signs one browser in, once, within <see cref="CodeLastsFor"/>.</summary>
    public Task<CreatedCode> CreateCodeAsync(ApiKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        var (now, code) = (time.GetUtcNow(), CodePrefix + Random());
        var row = new SignInCodeRow
        {
            Hash = ApiKeys.DigestOf(code),
            KeyId = key.Id,
            ExpiresAt = now + CodeLastsFor,
        };
        return database.WriteAsync(
            async db =>
            {
                // Those that are over go with the next one that is made
                await db.SignInCodes.Where(c => c.ExpiresAt <= now).ExecuteDeleteAsync(cancellationToken);
                db.SignInCodes.Add(row);
                await db.SaveChangesAsync(cancellationToken);
                db.ChangeTracker.Clear();
                return new CreatedCode(code, row.ExpiresAt);
            },
            cancellationToken
        );
    }

    /// <returns>Null where the code is not known, is over, was used, or its key is revoked: nobody learns which.</returns>
    public Task<OpenedSession?> OpenByCodeAsync(string code, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(code);
        var (now, hash) = (time.GetUtcNow(), ApiKeys.DigestOf(code));
        return database.WriteAsync(
            async db =>
            {
                var known = await db
                    .SignInCodes.AsNoTracking()
                    .Where(c => c.Hash == hash && c.ExpiresAt > now)
                    .Join(db.ApiKeys.Where(ApiKeys.IsGoodAt(now)), c => c.KeyId, k => k.Id, (_, k) => k)
                    .SingleOrDefaultAsync(cancellationToken);
                // Of two that come with it at once, one deletes the row
                var spent = await db.SignInCodes.Where(c => c.Hash == hash).ExecuteDeleteAsync(cancellationToken);
                return known is not null && spent == 1 ? await OpenAsync(db, ApiKeys.ToKey(known), cancellationToken) : null;
            },
            cancellationToken
        );
    }

    /// <returns>The key as it is now; null where the session is not known, is over, or its key is revoked.</returns>
    public async Task<PageSession?> FindAsync(string secret, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var (now, hash) = (time.GetUtcNow(), ApiKeys.DigestOf(secret));
        var found = await database.ReadAsync(
            db =>
                db.DashboardSessions.AsNoTracking()
                    .Where(s => s.Hash == hash && s.ExpiresAt > now)
                    .Join(
                        db.ApiKeys.Where(ApiKeys.IsGoodAt(now)),
                        s => s.KeyId,
                        k => k.Id,
                        (session, key) => new { session.ExpiresAt, Key = key }
                    )
                    .SingleOrDefaultAsync(cancellationToken),
            cancellationToken
        );
        return found is null ? null : new PageSession(ApiKeys.ToKey(found.Key), found.ExpiresAt);
    }

    public Task CloseAsync(string secret, CancellationToken cancellationToken)
    {
        var hash = ApiKeys.DigestOf(secret);
        return database.WriteAsync(
            db => db.DashboardSessions.Where(s => s.Hash == hash).ExecuteDeleteAsync(cancellationToken),
            cancellationToken
        );
    }

    private async Task<OpenedSession> OpenAsync(JobsDbContext db, ApiKey key, CancellationToken cancellationToken)
    {
        var (now, secret) = (time.GetUtcNow(), SecretPrefix + Random());
        await db
            .DashboardSessions.Where(s => s.ExpiresAt <= now || db.ApiKeys.Any(k => k.Id == s.KeyId && k.RevokedAt != null))
            .ExecuteDeleteAsync(cancellationToken);
        db.DashboardSessions.Add(
            new DashboardSessionRow
            {
                Hash = ApiKeys.DigestOf(secret),
                KeyId = key.Id,
                CreatedAt = now,
                ExpiresAt = now + LastsFor,
            }
        );
        await db.SaveChangesAsync(cancellationToken);
        db.ChangeTracker.Clear();
        return new OpenedSession(secret, now + LastsFor);
    }

    private static string Random() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}

/// <param name="Secret">For the browser alone.</param>
public sealed record OpenedSession(string Secret, DateTimeOffset ExpiresAt);

/// <param name="Code">Shown this once.</param>
public sealed record CreatedCode(string Code, DateTimeOffset ExpiresAt);

public sealed record PageSession(ApiKey Key, DateTimeOffset ExpiresAt);
