using RenderFarm.Wan.Transformer;

namespace RenderFarm.Rendering.Caching;

/// <summary>The two predictions of a guided step.</summary>
public enum GuidanceBranch
{
    Conditional,
    Unconditional,
}

/// <summary>
/// Decides, forward by forward, whether the blocks run or what they added last time is added again. One per job; the state
/// of the two branches is apart. Asked in the order of the run.
/// </summary>
public interface IStepCache : IDisposable
{
    /// <summary>Forwards whose blocks were left out so far.</summary>
    int Skipped { get; }

    /// <summary>What is kept for steps to come.</summary>
    long Bytes { get; }

    /// <param name="step">From 0.</param>
    IBlockSkipper Forward(int step, GuidanceBranch branch);

    /// <summary>What the other expert added means nothing for this one.</summary>
    void ExpertChanged();
}
