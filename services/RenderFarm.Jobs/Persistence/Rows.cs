using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Persistence;

/// <summary>The truth about one job. Every change of it is one conditional statement; see <c>README.md</c>.</summary>
public sealed class JobRow
{
    public required string Id { get; set; }
    public required string KeyId { get; set; }
    public required string Model { get; set; }

    /// <summary>JSON of <see cref="RenderSpec"/>.</summary>
    public required string Spec { get; set; }

    /// <summary>JSON list of <see cref="StoredInput"/>.</summary>
    public required string Inputs { get; set; }

    /// <summary>A new row waits; from then on <see cref="JobTransitions"/> alone changes it.</summary>
    public JobState State { get; private set; }

    // Progress: written by renewals, so none of these is in an index
    public RenderStage Stage { get; set; }
    public int Step { get; set; }
    public int Steps { get; set; }

    /// <summary>The furthest step that any earlier lease reached; a death before it is a death without progress.</summary>
    public int BestStep { get; set; }

    // Scheduling
    public int Priority { get; set; }

    /// <summary>GiB; 0 runs on any slot.</summary>
    public int VramClass { get; set; }
    public long LeastVramBytes { get; set; }
    public double EstimatedSeconds { get; set; }

    /// <summary>The API key's virtual time at submit, in seconds of work.</summary>
    public double StartTag { get; set; }

    /// <summary><see cref="StartTag"/> less the head start of the priority: the lowest goes first.</summary>
    public double OrderKey { get; set; }
    public DateTimeOffset? NotBefore { get; set; }

    /// <summary>
    /// In how many seconds from its submission it was promised to begin. Null where nothing was: nobody took such jobs, a pause held it,
    /// or it came in a batch.
    /// </summary>
    public double? PromisedSeconds { get; set; }

    // Attempts
    public long Fence { get; set; }

    /// <summary>Of the newest lease, as <see cref="Fence"/> is; null before the first, and for one from before there were tokens.</summary>
    public string? Token { get; set; }
    public int Failures { get; set; }
    public int MaxAttempts { get; set; }
    public int StepDowns { get; set; }

    /// <summary>Deaths of worker or renderer in a row without progress.</summary>
    public int Deaths { get; set; }

    // The lease
    public string? LeaseWorkerId { get; set; }
    public string? LeaseSlotId { get; set; }
    public DateTimeOffset? LeaseUntil { get; set; }

    // Placement: where it failed last, for a reason that may be the worker's; until then it goes elsewhere, where there is one
    public string? AvoidWorkerId { get; set; }
    public string? AvoidSlotId { get; set; }
    public DateTimeOffset? AvoidUntil { get; set; }

    // The user's wishes
    public DateTimeOffset? CancelRequestedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }

    /// <summary>The janitor has begun to remove its objects: what was deleted can't come back from here on.</summary>
    public DateTimeOffset? LetGoAt { get; set; }

    // The ending
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }
    public string? Warning { get; set; }

    /// <summary>The fence whose objects are the result.</summary>
    public long? WinningFence { get; set; }

    /// <summary>JSON list of <see cref="Artifact"/>.</summary>
    public string? Artifacts { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset QueuedAt { get; set; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }
    public double? ExpiresAfterSeconds { get; set; }

    // Intake
    public string? IdempotencyKey { get; set; }

    /// <summary>Digest of the canonical request, input files included.</summary>
    public string? RequestHash { get; set; }
    public string? BatchId { get; set; }

    /// <summary>Numbered from 1 within the batch.</summary>
    public int? BatchLine { get; set; }
    public string? RemixedFromId { get; set; }
    public string? Metadata { get; set; }
    public string? WebhookUrl { get; set; }
    public string? TraceParent { get; set; }
}

/// <summary>A pair of a job's metadata, for those who look for it. The database's own triggers keep it as the job's row has it.</summary>
public sealed class JobLabelRow
{
    public required string JobId { get; set; }
    public required string Name { get; set; }
    public required string Value { get; set; }
    public required string KeyId { get; set; }
}

/// <summary>What no job is taken from for a while. An empty word stands for all: both of them, for the whole queue.</summary>
public sealed class QueuePauseRow
{
    public required string Model { get; set; }
    public required string KeyId { get; set; }
    public DateTimeOffset Since { get; set; }

    public bool Holds(string model, string keyId) => (Model.Length == 0 || Model == model) && (KeyId.Length == 0 || KeyId == keyId);
}

/// <summary>One lease: who held it, what was planned and measured, how it ended. Kept when the job moves on.</summary>
public sealed class LeaseRecordRow
{
    /// <summary>The row of the lease, for statements.</summary>
    internal const string OfLease = "job_id = @id AND fence = @fence AND token = @token";

    public required string JobId { get; set; }
    public required long Fence { get; set; }

    /// <summary>Null for a lease from before there were tokens.</summary>
    public string? Token { get; set; }
    public required string WorkerId { get; set; }
    public required string SlotId { get; set; }

    // What the measurements belong to
    public required string Model { get; set; }
    public required string Card { get; set; }

    /// <summary>Of the card; null on a CPU slot.</summary>
    public string? Driver { get; set; }
    public required string WorkerVersion { get; set; }

    /// <summary><c>832x480x81</c>: width, height, frames.</summary>
    public string? Geometry { get; set; }

    /// <summary>What kind of plan it was, in words: <see cref="Contracts.Plans.RenderPlan.Kind"/>.</summary>
    public string? PlanKind { get; set; }
    public int Attempt { get; set; }
    public int StepDowns { get; set; }
    public DateTimeOffset LeasedAt { get; set; }
    public DateTimeOffset? RenderingAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }
    public LeaseEnding? Ending { get; set; }
    public FailureReason? Reason { get; set; }
    public string? Message { get; set; }

    /// <summary>The job's state after the ending: what every repeat of the report is told.</summary>
    public JobState? OutcomeState { get; set; }
    public double? RetryAfterSeconds { get; set; }

    // Of the job when this lease was taken for lost: what is given back if its worker returns in time. Null in all other cases
    public int? FailuresBefore { get; set; }
    public int? DeathsBefore { get; set; }
    public int? BestStepBefore { get; set; }

    /// <summary>JSON of the render plan.</summary>
    public string? Plan { get; set; }

    /// <summary>JSON of <see cref="Contracts.Leases.Measurements"/>; the figures that are queried have columns too.</summary>
    public string? Measurements { get; set; }

    /// <summary>Before any correction: measured ÷ this is the next correction.</summary>
    public long? PredictedPeakBytes { get; set; }
    public long? PeakBytes { get; set; }

    /// <summary>Before any correction.</summary>
    public double? PredictedStepSeconds { get; set; }
    public double? StepSeconds { get; set; }
    public string? LogTail { get; set; }
}

/// <summary>A lifecycle event, written in the transaction of the change it tells of.</summary>
public sealed class EventRow
{
    public long Id { get; set; }

    /// <summary>
    /// The place in the farm's one log, given shortly after the commit. Ids are taken before it, so of two transactions the
    /// later id may be seen first; positions are seen in their order, so a reader that has read up to one has missed nothing.
    /// </summary>
    public long? Position { get; set; }
    public required string JobId { get; set; }
    public required string KeyId { get; set; }
    public required string Model { get; set; }
    public required VideoEvent Type { get; set; }
    public required JobState State { get; set; }
    public DateTimeOffset OccurredAt { get; set; }
}

/// <summary>The farm's virtual time, in one row; see <see cref="Maintenance.FairClock"/>.</summary>
public sealed class FairClockRow
{
    public int Id { get; set; }
    public double VirtualTime { get; set; }
}

/// <summary>When a sweep of whichever process last passed, by the database's clock: so one that was away finds out for how long.</summary>
public sealed class SweepPassRow
{
    public required string Name { get; set; }
    public DateTimeOffset PassedAt { get; set; }
}

/// <summary>How far one reader of the log has come, and which process reads for it just now.</summary>
public sealed class LogCursorRow
{
    public required string Name { get; set; }
    public long Position { get; set; }

    /// <summary>A process's own random name; null before the first.</summary>
    public string? Holder { get; set; }

    /// <summary>Until then nobody else reads for it.</summary>
    public DateTimeOffset? HeldUntil { get; set; }
}

/// <summary>One event on its way to one video's webhook; the newest tries are its log.</summary>
public sealed class WebhookDeliveryRow
{
    public long EventId { get; set; }
    public required string JobId { get; set; }
    public required string KeyId { get; set; }
    public required VideoEvent Type { get; set; }
    public required JobState JobState { get; set; }
    public required string Url { get; set; }

    /// <summary>The host and port in <see cref="Url"/>.</summary>
    public string Host { get; set; } = "";
    public DeliveryState State { get; set; }
    public int Tries { get; set; }
    public DateTimeOffset NextTryAt { get; set; }
    public DateTimeOffset OccurredAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>JSON list of <see cref="Webhooks.DeliveryTry"/>.</summary>
    public required string Log { get; set; }
}

/// <summary>Jobs that were submitted as one; how they fare is counted from them.</summary>
public sealed class BatchRow
{
    public required string Id { get; set; }
    public required string KeyId { get; set; }
    public int Total { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? CancelledAt { get; set; }
    public string? IdempotencyKey { get; set; }
    public string? RequestHash { get; set; }
    public string? Metadata { get; set; }
}

public sealed class WorkerRow
{
    public required string Id { get; set; }

    /// <summary>Which installation; null for one that has not registered since there are identities.</summary>
    public string? Identity { get; set; }

    /// <summary>Which start of it.</summary>
    public string? Instance { get; set; }

    /// <summary>Where its identity was read: see <see cref="RegisterWorkerRequest.Place"/>.</summary>
    public string? Place { get; set; }
    /// <summary>The API key that speaks for it: the one it last registered with; null for one from before that was noted.</summary>
    public string? KeyId { get; set; }

    /// <summary>An operator has taken it out of the farm for good.</summary>
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>What it calls itself.</summary>
    public required string Name { get; set; }

    /// <summary>What an operator calls it, whatever it calls itself.</summary>
    public string? GivenName { get; set; }
    public required string Host { get; set; }
    public required string Version { get; set; }

    /// <summary>JSON list of <see cref="SlotDescription"/>.</summary>
    public required string Slots { get; set; }
    public bool Draining { get; set; }
    public DateTimeOffset RegisteredAt { get; set; }
    public DateTimeOffset SeenAt { get; set; }

    /// <summary>It has said good-bye, and has not come back.</summary>
    public DateTimeOffset? LeftAt { get; set; }
}

/// <summary>Somebody is signed in at the page, by a key; gone when it is over or the key is revoked.</summary>
public sealed class DashboardSessionRow
{
    /// <summary>SHA-256 of what the browser keeps, hex.</summary>
    public required string Hash { get; set; }
    public required string KeyId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
}

/// <summary>Lets a browser sign in once without the key; gone when it is over or used.</summary>
public sealed class SignInCodeRow
{
    /// <summary>SHA-256 of the code, hex.</summary>
    public required string Hash { get; set; }
    public required string KeyId { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
}

/// <summary>What lets a host become a worker; gone when it is over or used up.</summary>
public sealed class WorkerInvitationRow
{
    public required string Id { get; set; }

    /// <summary>What the worker will be called.</summary>
    public string? Name { get; set; }

    /// <summary>SHA-256 of the token, hex.</summary>
    public required string Hash { get; set; }
    public int UsesLeft { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>A slot that is given no jobs; two rows where its worker and the farm both say so.</summary>
public sealed class SlotQuarantineRow
{
    public required string WorkerId { get; set; }
    public required string SlotId { get; set; }
    public required QuarantineSource By { get; set; }
    public required string Reason { get; set; }
    public DateTimeOffset Since { get; set; }

    /// <summary>Somebody wishes it ended; its worker hears of that with its next registration.</summary>
    public bool Resume { get; set; }
}

/// <summary>
/// A job that failed on a slot since the last one that went well there, for a reason that may be the slot's.
/// </summary>
public sealed class SlotFailureRow
{
    public required string WorkerId { get; set; }
    public required string SlotId { get; set; }
    public required string JobId { get; set; }
    public DateTimeOffset FailedAt { get; set; }

    /// <summary>The job went well on another slot since: it was not the job.</summary>
    public bool Elsewhere { get; set; }
}

/// <summary>A model that some worker registered at some time; never removed.</summary>
public sealed class ModelRow
{
    public required string Id { get; set; }

    /// <summary>JSON of <see cref="Contracts.Models.ModelRegistration"/>, the newest.</summary>
    public required string Registration { get; set; }
    public DateTimeOffset FirstSeenAt { get; set; }
    public DateTimeOffset SeenAt { get; set; }
}

public sealed class WorkerModelRow
{
    public required string WorkerId { get; set; }
    public required string ModelId { get; set; }

    /// <summary>JSON list of <see cref="Contracts.Models.ModelFile"/>; null from a worker that doesn't tell.</summary>
    public string? Files { get; set; }

    /// <summary>None of its files is missing or damaged there, as far as is known.</summary>
    public bool IsWhole { get; set; }
}

public sealed class ApiKeyRow
{
    public required string Id { get; set; }
    public required string Name { get; set; }

    /// <summary>SHA-256 of the secret, hex.</summary>
    public required string Hash { get; set; }

    /// <summary>Of the secret before this one, which goes on until <see cref="FormerUntil"/>; null where there was none.</summary>
    public string? FormerHash { get; set; }
    public DateTimeOffset? FormerUntil { get; set; }

    /// <summary>What figures are told apart by; null is the default one.</summary>
    public string? Class { get; set; }

    /// <summary>From then on it does not work; null is never.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>A set of <c>KeyScopes</c>, as the number it is.</summary>
    public int Scopes { get; set; }

    /// <summary>Of a key that a worker made when it enrolled: it speaks for that one alone.</summary>
    public string? WorkerId { get; set; }
    public int PriorityCeiling { get; set; }

    /// <summary>What this key's webhooks are signed with: <c>whsec_…</c>. Kept readable, for signing needs it.</summary>
    public string? WebhookSecret { get; set; }

    /// <summary>Seconds of work this key has asked for, on the farm's virtual clock.</summary>
    public double VirtualTime { get; set; }

    // Quotas; null is no limit
    public int? MaxQueued { get; set; }
    public int? MaxRunning { get; set; }
    public int? MaxPerDay { get; set; }
    public int? RequestsPerMinute { get; set; }

    /// <summary>The day (UTC, counted from 1970) that <see cref="DayJobs"/> belongs to.</summary>
    public int Day { get; set; }

    /// <summary>Jobs submitted on <see cref="Day"/>.</summary>
    public int DayJobs { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }
}
