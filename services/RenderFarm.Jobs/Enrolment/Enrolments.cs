using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Enrolment;

/// <summary>
/// A host becomes a worker: an invitation is spent, and the secret that the host has made becomes a key that is bound to it.
/// </summary>
public sealed class Enrolments(JobDatabase database, TimeProvider time)
{
    /// <returns>The worker's id: that of its identity, where the farm knows it already.</returns>
    /// <exception cref="InvalidInvitationException">There is no such invitation, it is over, or it is used up.</exception>
    /// <exception cref="IdentityInUseException">A worker of this identity is at work under another key.</exception>
    public Task<string> EnrollAsync(EnrollRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var now = time.GetUtcNow();
        return database.WriteAsync(
            async db =>
            {
                var hash = ApiKeys.DigestOf(request.Secret);
                if (await EnrolledAsync(db, hash, cancellationToken) is { } before)
                {
                    return before;
                }

                var invited = await SpendAsync(db, request.Token, now, cancellationToken);
                if (await EnrolledAsync(db, hash, cancellationToken) is { } meanwhile)
                {
                    // A repeat that came while the first was under way has waited for it at the invitation
                    await GiveBackAsync(db, invited, cancellationToken);
                    return meanwhile;
                }

                if (invited is null)
                {
                    throw new InvalidInvitationException();
                }

                var keyId = ApiKeys.NewId(now);
                var workerId = await AdmitAsync(db, request, invited.Name, keyId, now, cancellationToken);
                // Of an earlier enrolment of the same installation
                await db
                    .ApiKeys.Where(k => k.WorkerId == workerId && k.RevokedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), cancellationToken);
                await ApiKeys.InsertAsync(
                    db,
                    new NewKey(keyId, $"worker {invited.Name ?? request.Name}", hash, KeyScopes.Worker, now) { WorkerId = workerId },
                    cancellationToken
                );
                return workerId;
            },
            cancellationToken
        );
    }

    /// <summary>The worker whose key this is; null where nobody has it.</summary>
    private static async Task<string?> EnrolledAsync(JobsDbContext db, string hash, CancellationToken cancellationToken) =>
        await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash, cancellationToken) switch
        {
            null => null,
            { WorkerId: { } enrolled, RevokedAt: null } => enrolled,
            _ => throw new InvalidInvitationException(),
        };

    /// <summary>Null for one that is not good.</summary>
    private static async Task<WorkerInvitationRow?> SpendAsync(
        JobsDbContext db,
        string token,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var hash = ApiKeys.DigestOf(token);
        var spent = await db
            .WorkerInvitations.Where(i => i.Hash == hash && i.UsesLeft > 0 && i.ExpiresAt > now)
            .ExecuteUpdateAsync(set => set.SetProperty(i => i.UsesLeft, i => i.UsesLeft - 1), cancellationToken);
        return spent == 1
            ? await db.WorkerInvitations.AsNoTracking().SingleAsync(i => i.Hash == hash, cancellationToken)
            : null;
    }

    private static Task<int> GiveBackAsync(JobsDbContext db, WorkerInvitationRow? unused, CancellationToken cancellationToken) =>
        unused is null
            ? Task.FromResult(0)
            : db
                .WorkerInvitations.Where(i => i.Id == unused.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(i => i.UsesLeft, i => i.UsesLeft + 1), cancellationToken);

    /// <summary>A row for the worker, under its new key. One that was revoked is back by this, for somebody has invited it.</summary>
    private static async Task<string> AdmitAsync(
        JobsDbContext db,
        EnrollRequest request,
        string? givenName,
        string keyId,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var admitted = await db.RowsAsync(
            """
            INSERT INTO workers (id, identity, key_id, name, given_name, host, version, slots, draining, registered_at, seen_at)
            VALUES (@id, @identity, @key, @name, @given, @host, @version, '[]', FALSE, @now, @gone)
            ON CONFLICT (identity) DO UPDATE SET key_id = excluded.key_id, revoked_at = NULL, name = excluded.name,
                given_name = COALESCE(excluded.given_name, workers.given_name), host = excluded.host, version = excluded.version
            WHERE workers.revoked_at IS NOT NULL OR workers.seen_at < @gone
            RETURNING id
            """,
            row => row.GetString(0),
            cancellationToken,
            ("id", WorkerRegistry.NewId(now)),
            ("identity", request.Identity),
            ("key", keyId),
            ("name", request.Name),
            ("given", givenName),
            ("host", request.Host),
            ("version", request.Version),
            ("now", db.Dialect.Time(now)),
            // It counts as there once it has registered
            ("gone", db.Dialect.Time(now - WorkerRegistry.LiveFor))
        );
        if (admitted is [var id])
        {
            return id;
        }

        var holder = await db.Workers.AsNoTracking().SingleAsync(w => w.Identity == request.Identity, cancellationToken);
        throw new IdentityInUseException(holder.GivenName ?? holder.Name, holder.Host, holder.SeenAt + WorkerRegistry.LiveFor - now);
    }
}

/// <summary>It never says which of the reasons it is: who guesses learns nothing.</summary>
public sealed class InvalidInvitationException() : Exception("The invitation is not known, is over, or is used up.");
