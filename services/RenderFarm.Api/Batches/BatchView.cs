using System.Text.Json.Serialization;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Batches;

namespace RenderFarm.Api.Batches;

/// <summary>A batch as HTTP shows it.</summary>
internal sealed record BatchView
{
    public required string Id { get; init; }
    public string Object { get; } = "batch";

    public required BatchState Status { get; init; }
    public required int Total { get; init; }

    /// <summary>0 to 100: videos that have ended, of all.</summary>
    public required int Progress { get; init; }
    public required BatchCounts Counts { get; init; }
    public required long CreatedAt { get; init; }
    public long? CompletedAt { get; init; }
    public long? CancelledAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public static BatchView Of(Batch batch)
    {
        var counts = BatchCounts.Of(batch);
        var (left, begun) = (counts.Queued + counts.InProgress, counts.InProgress + counts.Completed + counts.Failed);
        return new BatchView
        {
            Id = batch.Id,
            Status =
                left == 0 ? (batch.CancelledAt is null ? BatchState.Completed : BatchState.Cancelled)
                : begun == 0 ? BatchState.Queued
                : BatchState.InProgress,
            Total = batch.Total,
            Progress = (int)(100L * (batch.Total - left) / Math.Max(1, batch.Total)),
            Counts = counts,
            CreatedAt = batch.CreatedAt.ToUnixTimeSeconds(),
            CompletedAt = batch.FinishedAt?.ToUnixTimeSeconds(),
            CancelledAt = batch.CancelledAt?.ToUnixTimeSeconds(),
            Metadata = batch.Metadata,
        };
    }
}

/// <summary>A page of batches, as a page of videos is.</summary>
internal sealed record BatchList(IReadOnlyList<BatchView> Data, bool HasMore)
{
    public string Object { get; } = "list";
    public string? FirstId => Data.Count > 0 ? Data[0].Id : null;
    public string? LastId => Data.Count > 0 ? Data[^1].Id : null;
}

internal sealed record DeletedBatch(string Id)
{
    public string Object { get; } = "batch.deleted";
    public bool Deleted { get; } = true;
}

/// <summary>Videos of a batch by what became of them; deleted ones are in none.</summary>
internal sealed record BatchCounts(int Queued, int InProgress, int Completed, int Failed, int Cancelled)
{
    public static BatchCounts Of(Batch batch)
    {
        return new BatchCounts(
            In(JobState.Queued),
            In(JobState.Leased) + In(JobState.Rendering) + In(JobState.Uploading),
            In(JobState.Completed) + In(JobState.Expired),
            In(JobState.Failed),
            In(JobState.Cancelled)
        );

        int In(JobState state) => batch.Counts.GetValueOrDefault(state);
    }
}

/// <summary>One line of a manifest.</summary>
/// <param name="Line">Of the batch, from 1.</param>
/// <param name="Content">Where the MP4 is; null until it is there, and when it is gone.</param>
internal sealed record ManifestLine(int Line, string Id, VideoStatus Status, string? Content, Video Video);
