using System.Text.Json.Serialization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Rendering;

/// <summary>One JSON line from a renderer; its standard output carries nothing else.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Ready), "ready")]
[JsonDerivedType(typeof(Loaded), "loaded")]
[JsonDerivedType(typeof(StageStarted), "stage")]
[JsonDerivedType(typeof(StepDone), "step")]
[JsonDerivedType(typeof(FramesWritten), "frames")]
[JsonDerivedType(typeof(Alive), "alive")]
[JsonDerivedType(typeof(Finished), "finished")]
[JsonDerivedType(typeof(Failed), "failed")]
public abstract record RendererReport
{
    /// <summary>Runtime started, libtorch loaded, device context made: an order may come.</summary>
    public sealed record Ready(int ProcessId, string Version, string LibTorch, string Device, double StartSeconds) : RendererReport;

    /// <summary>What an order ahead of its job needs is near.</summary>
    /// <param name="Fault">Why it is not; a job may come all the same.</param>
    public sealed record Loaded(string? Fault = null) : RendererReport;

    public sealed record StageStarted(RenderStage Stage) : RendererReport;

    /// <summary>Denoise step <paramref name="Step"/> of <paramref name="Steps"/> is done.</summary>
    public sealed record StepDone(int Step, int Steps, double Seconds) : RendererReport;

    public sealed record FramesWritten(int Frames, int Of) : RendererReport;

    /// <summary>Sent from inside long stages, so that silence means trouble.</summary>
    public sealed record Alive(RenderStage Stage) : RendererReport;

    public sealed record Finished(int Frames, Measurements Measurements, string? Warning = null) : RendererReport;

    public sealed record Failed(FailureReason Reason, string Message, Measurements? Measurements = null) : RendererReport;
}
