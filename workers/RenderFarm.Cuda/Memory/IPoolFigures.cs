namespace RenderFarm.Cuda.Memory;

/// <summary>What a pool has taken from the card, for this process alone.</summary>
public interface IPoolFigures
{
    /// <summary>Taken from the card, used or kept for reuse.</summary>
    long Reserved { get; }

    long ReservedHighWater { get; }

    /// <summary>High-water marks count from the present again.</summary>
    void ResetHighWater();
}
