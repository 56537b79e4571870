using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Caching;

/// <summary>What the blocks added to the tokens of one branch when they last ran. Owns the tensor.</summary>
internal sealed class CachedBranch(ScalarType type) : IDisposable
{
    private readonly ScalarType _keptIn = type;
    private Tensor? _added;

    public bool IsEmpty => _added is null;

    public int Skipped { get; private set; }

    public long Bytes => _added is null ? 0 : _added.numel() * _added.element_size();

    /// <param name="skips">Decides by the modulations of this forward; not asked while nothing is kept.</param>
    public IBlockSkipper Forward(Func<Modulation, bool> skips) => new Skipper(this, skips);

    public void Clear()
    {
        _added?.Dispose();
        _added = null;
    }

    public void Dispose() => Clear();

    private sealed class Skipper(CachedBranch branch, Func<Modulation, bool> skips) : IBlockSkipper
    {
        public Tensor? Instead(Modulation modulation)
        {
            // The decision keeps count, so it is taken whether or not there is anything to add
            var skip = skips(modulation);
            if (!skip || branch._added is null)
            {
                return null;
            }

            branch.Skipped++;
            return branch._added;
        }

        public void Ran(Tensor difference)
        {
            branch.Clear();
            branch._added = difference.to(branch._keptIn, copy: true).DetachFromDisposeScope();
        }
    }
}
