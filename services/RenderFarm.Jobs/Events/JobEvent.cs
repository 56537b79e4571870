using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Events;

/// <summary>Something happened to a job.</summary>
/// <param name="Position">Its place in the farm's log: a reader that has read up to here resumes after it.</param>
/// <param name="State">The state that the job came to.</param>
public sealed record JobEvent(
    long Position,
    VideoEvent Type,
    string JobId,
    string KeyId,
    string Model,
    JobState State,
    DateTimeOffset OccurredAt
)
{
    /// <summary>No further event follows but an expiry, unless somebody asks for another run.</summary>
    public bool IsEnding => State is JobState.Completed or JobState.Failed or JobState.Cancelled or JobState.Expired;
}

/// <summary>An event with the job it tells of.</summary>
/// <param name="Job">As it was then, as far as that can be known; see <see cref="PastJob"/>.</param>
/// <param name="IdempotencyKey">What the submission was marked with: for a job of the intake queue the id of its message.</param>
public sealed record EventOfJob(JobEvent Event, Job Job, string? IdempotencyKey);

/// <summary>Jobs in the light of an event that may be older than their row.</summary>
public static class PastJob
{
    /// <summary>
    /// The job at the time of the event: a row that has moved on gives up what came later, so that an event of a
    /// beginning never shows the end.
    /// </summary>
    public static Job At(this Job job, JobEvent told)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(told);
        if (job.State == told.State)
        {
            return job;
        }

        var past = job with { State = told.State };
        return told.State switch
        {
            JobState.Queued => Unended() with
            {
                Stage = RenderStage.Queued,
                LatestLease = null,
                WorkerId = null,
                SlotId = null,
            },
            JobState.Rendering => Unended() with { Stage = RenderStage.Loading },
            JobState.Completed => past with { Error = null },
            JobState.Cancelled => past with { FinishedAt = told.OccurredAt, Error = JobError.Cancelled },
            JobState.Failed => past with
            {
                FinishedAt = told.OccurredAt,
                Error = job.Error ?? new JobError("failed", "An earlier run of this video failed."),
            },
            _ => past,
        };

        Job Unended() =>
            past with
            {
                Step = 0,
                Steps = 0,
                Error = null,
                Warning = null,
                FinishedAt = null,
                ExpiresAt = null,
                WinningFence = null,
                Artifacts = [],
            };
    }
}
