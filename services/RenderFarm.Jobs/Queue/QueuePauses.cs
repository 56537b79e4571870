using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Queue;

/// <summary>
/// What an operator has paused: a model, a key, a model of a key, or all. Nothing of it is leased, while what runs goes on and
/// submissions are taken.
/// </summary>
public sealed class QueuePauses(JobDatabase database, JobSignal signal, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private volatile Kept? _kept;

    /// <summary>Paused once is paused: a repeat leaves the time of the first.</summary>
    public async Task PauseAsync(QueuePart part, CancellationToken cancellationToken)
    {
        await database.WriteAsync(
            async db =>
            {
                await db.ExecuteAsync(
                    "INSERT INTO queue_pauses (model, key_id, since) VALUES (@model, @key, @now) ON CONFLICT (model, key_id) DO NOTHING",
                    cancellationToken,
                    ("model", part.Model ?? ""),
                    ("key", part.KeyId ?? ""),
                    ("now", db.Dialect.Time(time.GetUtcNow()))
                );
                return await JobTransitions.ForgetPromisesAsync(db, part.Model ?? "", part.KeyId ?? "", cancellationToken);
            },
            cancellationToken
        );
        _kept = null;
    }

    /// <summary>Ends that pause, and no other: a model stays paused while all is. Of everything, it ends them all.</summary>
    /// <returns>How many ended.</returns>
    public async Task<int> ResumeAsync(QueuePart part, CancellationToken cancellationToken)
    {
        var ended = await database.WriteAsync(
            db =>
                part.IsAll
                    ? db.QueuePauses.ExecuteDeleteAsync(cancellationToken)
                    : db
                        .QueuePauses.Where(p => p.Model == (part.Model ?? "") && p.KeyId == (part.KeyId ?? ""))
                        .ExecuteDeleteAsync(cancellationToken),
            cancellationToken
        );
        _kept = null;
        signal.RaiseAll();
        return ended;
    }

    public Task<IReadOnlyList<QueuePause>> ListAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<QueuePause>>(
            async db =>
                (
                    await db.QueuePauses.AsNoTracking().OrderBy(p => p.Since).ToListAsync(cancellationToken)
                ).ConvertAll(p => new QueuePause(
                    new QueuePart(p.Model.Length == 0 ? null : p.Model, p.KeyId.Length == 0 ? null : p.KeyId),
                    p.Since
                )),
            cancellationToken
        );

    /// <summary>What holds the job back; null where nothing does. Up to a second old.</summary>
    public async Task<QueuePause?> OfAsync(Job job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        var kept = _kept;
        if (kept is null || time.GetElapsedTime(kept.At) > Fresh)
        {
            _kept = kept = new Kept(await ListAsync(cancellationToken), time.GetTimestamp());
        }

        return kept.Pauses.FirstOrDefault(pause =>
            (pause.Part.Model ?? job.Spec.Model) == job.Spec.Model && (pause.Part.KeyId ?? job.KeyId) == job.KeyId
        );
    }

    private sealed record Kept(IReadOnlyList<QueuePause> Pauses, long At);
}

/// <summary>The jobs of a model, of a key, of both; null is any.</summary>
public sealed record QueuePart(string? Model, string? KeyId)
{
    public bool IsAll => Model is null && KeyId is null;
}

public sealed record QueuePause(QueuePart Part, DateTimeOffset Since);
