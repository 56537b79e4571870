namespace RenderFarm.Rendering.Pipelines;

/// <summary>Memory of this process, as plans predict it.</summary>
public interface IMemoryGauge
{
    /// <summary>The most since the start or the last <see cref="RestartPeak"/>.</summary>
    long PeakBytes();

    void RestartPeak();
}
