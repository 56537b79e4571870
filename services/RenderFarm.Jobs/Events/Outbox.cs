using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>Lifecycle events. One is written in the transaction of the change it tells of, so neither exists without the other.</summary>
public static class Outbox
{
    /// <summary>The types that webhooks are told of; an expired video is told of to streams and the broker only.</summary>
    public static readonly IReadOnlyList<VideoEvent> ForWebhooks =
    [
        VideoEvent.Queued,
        VideoEvent.Started,
        VideoEvent.Completed,
        VideoEvent.Failed,
        VideoEvent.Cancelled,
    ];

    /// <summary>The event that belongs to a job's arrival in a state; null where a state has none.</summary>
    public static VideoEvent? TypeOf(JobState state) =>
        state switch
        {
            JobState.Queued => VideoEvent.Queued,
            JobState.Rendering => VideoEvent.Started,
            JobState.Completed => VideoEvent.Completed,
            JobState.Failed => VideoEvent.Failed,
            JobState.Cancelled => VideoEvent.Cancelled,
            JobState.Expired => VideoEvent.Expired,
            _ => null,
        };

    /// <summary>Writes down that the job has just come to the state its row is in.</summary>
    internal static Task AddAsync(
        JobsDbContext db,
        string jobId,
        VideoEvent type,
        DateTimeOffset at,
        CancellationToken cancellationToken
    )
    {
        db.WroteEvents = db.ChangedQueue = true;
        return db.ExecuteAsync(
            """
            INSERT INTO events (job_id, key_id, model, type, state, occurred_at)
            SELECT id, key_id, model, @type, state, @at FROM jobs WHERE id = @id
            """,
            cancellationToken,
            ("id", jobId),
            ("type", Word.Of(type)),
            ("at", db.Dialect.Time(at))
        );
    }

    /// <summary>The same for all jobs of a condition, in which <c>@now</c> is the time of the event.</summary>
    internal static Task AddWhereAsync(
        JobsDbContext db,
        string condition,
        VideoEvent type,
        DateTimeOffset at,
        CancellationToken cancellationToken,
        params (string Name, object? Value)[] arguments
    )
    {
        db.WroteEvents = db.ChangedQueue = true;
        return db.ExecuteAsync(
            $"""
            INSERT INTO events (job_id, key_id, model, type, state, occurred_at)
            SELECT id, key_id, model, @type, state, @now FROM jobs WHERE {condition}
            """,
            cancellationToken,
            [.. arguments, ("type", Word.Of(type)), ("now", db.Dialect.Time(at))]
        );
    }
}
