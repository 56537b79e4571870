using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Enrolment;

/// <summary>Tokens by which a host may become a worker: for a short while, and once unless more was said. Only digests are kept.</summary>
public sealed class Invitations(JobDatabase database, TimeProvider time)
{
    public const string TokenPrefix = "rfi_";

    /// <param name="name">What the worker is called that comes by it; null leaves it to the worker.</param>
    /// <param name="lasts">How long it is good.</param>
    /// <param name="uses">How many workers may come by it.</param>
    /// <param name="cancellationToken">Of the request.</param>
    public Task<CreatedInvitation> CreateAsync(string? name, TimeSpan lasts, int uses, CancellationToken cancellationToken)
    {
        var (now, token) = (time.GetUtcNow(), TokenPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)));
        var row = new WorkerInvitationRow
        {
            Id = "invitation_" + Guid.CreateVersion7(now).ToString("N"),
            Name = name,
            Hash = ApiKeys.DigestOf(token),
            UsesLeft = uses,
            ExpiresAt = now + lasts,
            CreatedAt = now,
        };
        return database.WriteAsync(
            async db =>
            {
                // Those that are over go with the next one that is made
                await db
                    .WorkerInvitations.Where(i => i.ExpiresAt <= now || i.UsesLeft == 0)
                    .ExecuteDeleteAsync(cancellationToken);
                db.WorkerInvitations.Add(row);
                await db.SaveChangesAsync(cancellationToken);
                db.ChangeTracker.Clear();
                return new CreatedInvitation(ToInvitation(row), token);
            },
            cancellationToken
        );
    }

    /// <summary>Those that are good now, oldest first.</summary>
    public Task<IReadOnlyList<Invitation>> ListAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return database.ReadAsync<IReadOnlyList<Invitation>>(
            async db =>
                (
                    await db
                        .WorkerInvitations.AsNoTracking()
                        .Where(i => i.ExpiresAt > now && i.UsesLeft > 0)
                        .OrderBy(i => i.Id)
                        .ToListAsync(cancellationToken)
                ).ConvertAll(ToInvitation),
            cancellationToken
        );
    }

    /// <param name="id">Null: all.</param>
    /// <param name="cancellationToken">Of the request.</param>
    /// <returns>The ids of those that nobody comes by any more; who has come stays.</returns>
    public Task<IReadOnlyList<string>> WithdrawAsync(string? id, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return database.WriteAsync<IReadOnlyList<string>>(
            async db =>
            {
                var wanted = db.WorkerInvitations.Where(i => (id == null || i.Id == id) && i.ExpiresAt > now && i.UsesLeft > 0);
                var ids = await wanted.Select(i => i.Id).OrderBy(i => i).ToListAsync(cancellationToken);
                await db.WorkerInvitations.Where(i => ids.Contains(i.Id)).ExecuteDeleteAsync(cancellationToken);
                return ids;
            },
            cancellationToken
        );
    }

    private static Invitation ToInvitation(WorkerInvitationRow row) =>
        new(row.Id, row.Name, row.UsesLeft, row.ExpiresAt, row.CreatedAt);
}

public sealed record Invitation(string Id, string? Name, int UsesLeft, DateTimeOffset ExpiresAt, DateTimeOffset CreatedAt);

/// <param name="Token">Shown this once.</param>
public sealed record CreatedInvitation(Invitation Invitation, string Token);
