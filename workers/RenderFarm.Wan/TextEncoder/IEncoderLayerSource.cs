namespace RenderFarm.Wan.TextEncoder;

/// <summary>Where the layers of a forward come from. Entered and left in order, one at a time.</summary>
public interface IEncoderLayerSource
{
    int Count { get; }

    /// <summary>A layer whose weights work enqueued from now on may read.</summary>
    Umt5Layer Enter(int index);

    /// <summary>All work on the layer has been enqueued; once that is done its memory may be overwritten.</summary>
    void Leave(int index);
}

/// <summary>All layers at hand, all the time.</summary>
public sealed class ResidentLayers(IReadOnlyList<Umt5Layer> layers) : IEncoderLayerSource
{
    public int Count => layers.Count;

    public Umt5Layer Enter(int index) => layers[index];

    public void Leave(int index)
    {
    }
}
