namespace RenderFarm.Rendering.Pipelines;

/// <summary>Takes finished frames in order.</summary>
public interface IFrameSink
{
    /// <param name="rgb24">One frame, <c>[H, W, 3]</c> bytes; belongs to the caller and is overwritten afterwards.</param>
    void Write(ReadOnlySpan<byte> rgb24);
}
