using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Events;

/// <summary>What API processes tell one another about renders under way. Words only: one that is lost is made up for by the next.</summary>
/// <param name="Fence">0 in a wish.</param>
internal sealed record ProgressNotice(string JobId, long Fence, RenderStage Stage, int Step, int Steps)
{
    public byte[]? Preview { get; init; }
    public string? PreviewType { get; init; }

    /// <summary>Not a report: somebody who watches at another process wants pictures of this job.</summary>
    public bool IsWish { get; init; }

    public static ProgressNotice Wish(string jobId) => new(jobId, 0, RenderStage.Queued, 0, 0) { IsWish = true };
}

/// <summary>Takes notices to the other API processes.</summary>
internal interface INoticeRelay
{
    /// <summary>Returns at once; drops what can't be sent.</summary>
    void Tell(ProgressNotice notice);

    /// <summary>Who hears what others tell; one listener a process.</summary>
    void Listen(Func<ProgressNotice, CancellationToken, Task> listener);
}

/// <summary>For a farm without a broker: streams at another process see the progress of the row, every few seconds.</summary>
internal sealed class SilentRelay : INoticeRelay
{
    public void Tell(ProgressNotice notice) { }

    public void Listen(Func<ProgressNotice, CancellationToken, Task> listener) { }
}
