using RenderFarm.Wan.Transformer;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Caching;

/// <summary>What the blocks added to the tokens of one branch when they last ran. Owns the tensor.</summary>
internal sealed class CachedBranch(ScalarType type) : IDisposable
{
    private readonly ScalarType keptIn = type;
    private Tensor? added;

    public bool IsEmpty => added is null;

    public int Skipped { get; private set; }

    public long Bytes => added is null ? 0 : added.numel() * added.element_size();

    /// <param name="skips">Decides by the modulations of this forward; not asked while nothing is kept.</param>
    public IBlockSkipper Forward(Func<Modulation, bool> skips) => new Skipper(this, skips);

    public void Clear()
    {
        added?.Dispose();
        added = null;
    }

    public void Dispose() => Clear();

    private sealed class Skipper(CachedBranch branch, Func<Modulation, bool> skips) : IBlockSkipper
    {
        public Tensor? Instead(Modulation modulation)
        {
            // the decision keeps count, so it is taken whether or not there is anything to add
            bool skip = skips(modulation);
            if (!skip || branch.added is null)
                return null;
            branch.Skipped++;
            return branch.added;
        }

        public void Ran(Tensor difference)
        {
            branch.Clear();
            branch.added = difference.to(branch.keptIn, copy: true).DetachFromDisposeScope();
        }
    }
}
