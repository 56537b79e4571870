using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Intake;

/// <summary>A request becomes a row, once.</summary>
public sealed class JobSubmission(JobDatabase database, JobAnnouncer announcer, QueueForecast forecast, TimeProvider time)
{
    /// <summary>How long an equal request that calls itself a repeat is taken for the same one.</summary>
    public static readonly TimeSpan RepeatWindow = TimeSpan.FromMinutes(10);

    /// <summary>The most that share a transaction.</summary>
    private const int MostTogether = 100;

    private readonly ConcurrentDictionary<string, KeyQueue> _queues = new();

    /// <summary>
    /// Persists the job as <c>queued</c> in one transaction with its event, then wakes a worker. When this returns, the job
    /// is safe, broker up or down. A request that came before is not taken twice.
    /// </summary>
    /// <remarks>
    /// Submissions of one key would wait for each other at its row in the database, each for a commit of its own. They
    /// wait here instead, and those that have gathered meanwhile share the next commit.
    /// </remarks>
    /// <exception cref="QuotaExceededException">The key has no room for it.</exception>
    public async Task<SubmitResult> SubmitAsync(NewJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        using var withdrawn = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            return await database.WithinAsync(StorePatience.Request, JoinAsync(job, withdrawn.Token), cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // One whose turn has not come is not taken in later, when its sender has long sent it again
            await withdrawn.CancelAsync();
            throw;
        }
    }

    /// <summary>The line is looked at before the job's turn, in which others wait for it.</summary>
    private async Task<SubmitResult> JoinAsync(NewJob job, CancellationToken cancellationToken)
    {
        await forecast.LookAsync(job.Spec.Model, cancellationToken);
        var queue = _queues.GetOrAdd(job.KeyId, _ => new KeyQueue());
        var mine = new Waiting(job, cancellationToken);
        queue.Submissions.Enqueue(mine);
        _ = TakeTurnAsync(queue);
        return await mine.Done.Task;
    }

    /// <summary>As many turns as submissions, and each takes in at least one: whoever waits is taken in, most of them early.</summary>
    private async Task TakeTurnAsync(KeyQueue queue)
    {
        await queue.Turn.WaitAsync();
        try
        {
            await TakeInAsync(Gather(queue.Submissions));
        }
        finally
        {
            queue.Turn.Release();
        }
    }

    /// <summary>Up to the first that might be a repeat of one already gathered: what it repeats must have been committed first.</summary>
    private static List<Waiting> Gather(ConcurrentQueue<Waiting> queue)
    {
        var (gathered, keys, hashes) = (new List<Waiting>(), new HashSet<string>(), new HashSet<string>());
        while (gathered.Count < MostTogether && queue.TryPeek(out var next))
        {
            var job = next.Job;
            if (
                job.IdempotencyKey is { } key && !keys.Add(key)
                || job is { IsClientRetry: true, RequestHash: { } repeated } && hashes.Contains(repeated)
            )
            {
                break;
            }

            if (job.RequestHash is { } hash)
            {
                hashes.Add(hash);
            }

            queue.TryDequeue(out _);
            if (next.Cancellation.IsCancellationRequested)
            {
                next.Done.TrySetCanceled(next.Cancellation);
            }
            else
            {
                gathered.Add(next);
            }
        }
        return gathered;
    }

    private async Task TakeInAsync(List<Waiting> together)
    {
        if (together.Count == 0)
        {
            return;
        }

        try
        {
            var jobs = together.ConvertAll(waiting => waiting.Job);
            var promises = forecast.Promises(jobs.Select(job => job.Spec.Model));
            var results = await database.WriteAsync(db => SubmitAsync(db, jobs, promises, CancellationToken.None), CancellationToken.None);
            foreach (var (waiting, result) in together.Zip(results))
            {
                Answer(waiting, result);
            }
        }
        catch (Exception e) when (together.Count > 1 && e is QuotaExceededException or DbUpdateException)
        {
            // One of them is at fault: each by itself
            foreach (var waiting in together)
            {
                await TakeInAsync([waiting]);
            }
        }
        catch (DbUpdateException e) when (together[0].Job.IdempotencyKey is { } key && Stores.IsUniqueViolation(e))
        {
            // The same request at the same moment at another process; it has committed by now
            var earlier = await database.ReadAsync(db => EarlierAsync(db, together[0].Job, CancellationToken.None), CancellationToken.None);
            if (earlier is not null)
            {
                Answer(together[0], earlier);
            }
            else
            {
                together[0].Done.TrySetException(new InvalidOperationException($"Idempotency key {key} is taken, and by nobody.", e));
            }
        }
        catch (Exception e)
        {
            foreach (var waiting in together)
            {
                waiting.Done.TrySetException(e);
            }
        }
    }

    private void Answer(Waiting waiting, SubmitResult result)
    {
        if (result is SubmitResult.Created)
        {
            announcer.Committed(new Announcement(waiting.Job.Id, Fence: 0, waiting.Job.Spec.Model, waiting.Job.VramClass));
        }

        waiting.Done.TrySetResult(result);
    }

    private async Task<IReadOnlyList<SubmitResult>> SubmitAsync(
        JobsDbContext db,
        List<NewJob> jobs,
        StartPromises promises,
        CancellationToken cancellationToken
    )
    {
        var results = new SubmitResult?[jobs.Count];
        for (var i = 0; i < jobs.Count; i++)
        {
            results[i] = await EarlierAsync(db, jobs[i], cancellationToken);
        }

        var fresh = jobs.Where((_, i) => results[i] is null).ToList();
        if (fresh.Count > 0)
        {
            await JobTransitions.GiveUpRepeatMarksAsync(
                db,
                jobs[0].KeyId,
                [.. fresh.Select(job => job.IdempotencyKey).OfType<string>()],
                cancellationToken
            );
            var inserted = await JobRows.InsertAsync(db, fresh, promises, announcer.Sender, time.GetUtcNow(), cancellationToken);
            for (int i = 0, next = 0; i < jobs.Count; i++)
            {
                results[i] ??= new SubmitResult.Created(inserted[next++].ToJob());
            }
        }
        return results!;
    }

    /// <summary>
    /// What came of this request when it was sent before; null where it wasn't. For whoever has work to do before the job can be
    /// submitted.
    /// </summary>
    /// <param name="job">Only what tells repeats is looked at.</param>
    public Task<SubmitResult?> EarlierAsync(NewJob job, CancellationToken cancellationToken) =>
        database.ReadAsync(db => EarlierAsync(db, job, cancellationToken), cancellationToken);

    private async Task<SubmitResult?> EarlierAsync(JobsDbContext db, NewJob job, CancellationToken cancellationToken)
    {
        var mine = db.Jobs.AsNoTracking().Where(j => j.KeyId == job.KeyId);
        if (job.IdempotencyKey is { } key)
        {
            var earlier = await mine.SingleOrDefaultAsync(j => j.IdempotencyKey == key, cancellationToken);
            if (earlier is not { DeletedAt: null })
            {
                return null;
            }

            return earlier.RequestHash == job.RequestHash
                ? new SubmitResult.Existing(earlier.ToJob())
                : new SubmitResult.Conflict(earlier.ToJob());
        }
        if (job is { IsClientRetry: true, RequestHash: { } hash })
        {
            var since = time.GetUtcNow() - RepeatWindow;
            var earlier = await mine.Where(j => j.RequestHash == hash && j.CreatedAt >= since && j.DeletedAt == null)
                .OrderByDescending(j => j.Id)
                .FirstOrDefaultAsync(cancellationToken);
            if (earlier is not null)
            {
                return new SubmitResult.Existing(earlier.ToJob());
            }
        }
        return null;
    }

    /// <summary>Where the submissions of one key wait for their turn.</summary>
    private sealed class KeyQueue
    {
        public ConcurrentQueue<Waiting> Submissions { get; } = new();
        public SemaphoreSlim Turn { get; } = new(1);
    }

    private sealed record Waiting(NewJob Job, CancellationToken Cancellation)
    {
        public TaskCompletionSource<SubmitResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
