using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Rendering;

/// <summary>
/// The one line a worker writes to a renderer's standard input. The renderer answers with <see cref="RendererReport"/>
/// lines on standard output and raw rgb24 frames into <see cref="FramePipe"/>, then exits. End of input before the
/// order means: no work, exit. Before it there may be others of jobs that have not come (<see cref="Ahead"/>).
/// </summary>
public sealed record RenderOrder
{
    /// <summary>
    /// There is no such job yet, only one like it to be expected: what it would need is brought near, and answered with
    /// <see cref="RendererReport.Loaded"/> unless the next line comes first. Nothing of it is written anywhere.
    /// </summary>
    public bool Ahead { get; init; }

    public required string JobId { get; init; }
    public required long Fence { get; init; }
    public required RenderSpec Spec { get; init; }
    public required RenderPlan Plan { get; init; }
    public required ModelShape Shape { get; init; }
    public required ModelFiles Files { get; init; }

    /// <summary>Trace of the video (W3C traceparent), for what the renderer says of a failure.</summary>
    public string? TraceParent { get; init; }

    /// <summary>A FIFO; the renderer opens it when the first frame is ready and closes it after the last.</summary>
    public required string FramePipe { get; init; }

    /// <summary>Where the renderer may write (thumbnail frame, input pictures); removed after the attempt.</summary>
    public required string WorkDirectory { get; init; }

    /// <summary>Pictures by their role, see <see cref="InputRoles"/>: JPEG, PNG, WebP, GIF or BMP of any size and orientation.</summary>
    public IReadOnlyDictionary<string, string> InputFiles { get; set; } = new Dictionary<string, string>();

    /// <summary>Folder of this model's prepared weights (<see cref="WeightCacheFiles"/>); null when the host keeps none.</summary>
    public string? WeightCache { get; init; }

    /// <summary>
    /// What the folders of all models beside each other may take; the least recently used weights give way. Null: as much as
    /// the file system holds.
    /// </summary>
    public long? WeightCacheLimitBytes { get; init; }
}
