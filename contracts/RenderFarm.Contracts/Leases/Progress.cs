using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Leases;

/// <summary>
/// <c>POST /worker/v1/leases/{job}/progress</c>: how far the render is, for whoever watches it now. At most one a step and
/// five a second; it touches no row and extends no lease, and one that is lost is made up for by the next.
/// </summary>
public sealed record ProgressReport : LeaseReport
{
    public required RenderStage Stage { get; init; }
    public int Step { get; init; }
    public int Steps { get; init; }

    /// <summary>A small picture of what the video is becoming; only while somebody wants one.</summary>
    public byte[]? Preview { get; init; }

    /// <summary><c>image/png</c> or <c>image/jpeg</c>.</summary>
    public string? PreviewType { get; init; }
}

/// <param name="Preview">Somebody watches and wants pictures.</param>
public sealed record ProgressReply(bool Preview);
