namespace RenderFarm.Rendering.Pipelines;

/// <param name="Warning">Something the user should know of a good result, such as that all frames are black.</param>
public sealed record RenderResult(int Frames, string? Warning)
{
    /// <summary>Forwards whose blocks a step cache left out.</summary>
    public int ForwardsLeftOut { get; init; }
}
