using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Cli.Showing;

/// <summary>What became of a wish to stop.</summary>
internal static class Stopped
{
    public static string Describe(Video video) =>
        video switch
        {
            { Status: VideoStatus.Completed } => "was completed already",
            { Error.Code: var code } when code == Word.Of(FailureReason.Cancelled) => "cancelled",
            { Status: VideoStatus.Failed } => $"had failed already ({video.Error?.Code})",
            { Status: VideoStatus.Queued } => "cancelled",
            _ => "stopping: its worker has been told",
        };

    public static string Describe(BatchCounts counts)
    {
        (int Count, string What)[] parts =
        [
            (counts.Cancelled, "cancelled"),
            (counts.Queued + counts.InProgress, "stopping"),
            (counts.Completed, "completed already"),
            (counts.Failed, "had failed already"),
        ];
        return string.Join(
            ", ",
            parts.Where(part => part.Count > 0).Select(part => FormattableString.Invariant($"{part.Count} {part.What}"))
        );
    }
}
