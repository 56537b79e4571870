using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Persistence;

/// <summary>Rows to the records that leave this project.</summary>
internal static class Mapping
{
    public static Job ToJob(this JobRow row, LeaseRecordRow? latest = null, string? latestWorkerId = null) =>
        new()
        {
            Id = row.Id,
            KeyId = row.KeyId,
            Spec = JsonSerializer.Deserialize(row.Spec, ContractsJson.Default.RenderSpec)!,
            Inputs = JsonSerializer.Deserialize(row.Inputs, JobsJson.Default.StoredInputArray)!,
            State = row.State,
            Stage = row.Stage,
            Step = row.Step,
            Steps = row.Steps,
            Priority = row.Priority,
            VramClass = row.VramClass,
            LeastVramBytes = row.LeastVramBytes,
            EstimatedSeconds = row.EstimatedSeconds,
            OrderKey = row.OrderKey,
            NotBefore = row.NotBefore,
            Lease = NameOf(row.Id, row.Fence, row.Token),
            Failures = row.Failures,
            MaxAttempts = row.MaxAttempts,
            StepDowns = row.StepDowns,
            WorkerId = row.LeaseWorkerId,
            LatestWorkerId = latest?.WorkerId ?? latestWorkerId ?? row.LeaseWorkerId,
            SlotId = row.LeaseSlotId,
            CancelRequested = row.CancelRequestedAt is not null,
            Deleted = row.DeletedAt is not null,
            Error =
                row.State == JobState.Cancelled ? JobError.Cancelled
                : row.ErrorCode is null ? null
                : new JobError(row.ErrorCode, row.ErrorMessage ?? row.ErrorCode),
            Warning = row.Warning,
            WinningFence = row.WinningFence,
            Artifacts = row.Artifacts is null ? [] : JsonSerializer.Deserialize(row.Artifacts, ContractsJson.Default.ArtifactArray)!,
            CreatedAt = row.CreatedAt,
            StartedAt = row.StartedAt,
            FinishedAt = row.FinishedAt,
            ExpiresAt = row.ExpiresAt,
            BatchId = row.BatchId,
            BatchLine = row.BatchLine,
            RemixedFromId = row.RemixedFromId,
            Metadata = row.Metadata is null ? null : JsonSerializer.Deserialize(row.Metadata, JobsJson.Default.DictionaryStringString),
            WebhookUrl = row.WebhookUrl,
            TraceParent = row.TraceParent,
            LatestLease = latest?.ToRecord(),
        };

    public static LeaseRecord ToRecord(this LeaseRecordRow row) =>
        new()
        {
            Lease = NameOf(row.JobId, row.Fence, row.Token),
            WorkerId = row.WorkerId,
            SlotId = row.SlotId,
            Card = row.Card,
            Attempt = row.Attempt,
            StepDowns = row.StepDowns,
            LeasedAt = row.LeasedAt,
            RenderingAt = row.RenderingAt,
            EndedAt = row.EndedAt,
            Ending = row.Ending,
            Reason = row.Reason,
            Message = row.Message,
            Outcome = row.OutcomeState is { } state ? new LeaseOutcome(state, row.RetryAfterSeconds) : null,
            Plan = row.Plan is null ? null : JsonSerializer.Deserialize(row.Plan, ContractsJson.Default.RenderPlan),
            Measurements = row.Measurements is null
                ? null
                : JsonSerializer.Deserialize(row.Measurements, ContractsJson.Default.Measurements),
            LogTail = row.LogTail,
        };

    /// <summary>The token itself stays here.</summary>
    private static LeaseName NameOf(string jobId, long fence, string? token) =>
        new(jobId, fence, LeaseToken.TryParse(token, out var known) ? known.Digest : "");
}
