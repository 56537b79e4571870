using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>What is added to a product: (x·downᵀ)·upᵀ and an offset. Owns its tensors.</summary>
/// <param name="Down">[r, in] in the compute type; null where only an offset is added.</param>
/// <param name="Up">[out, r], scale included.</param>
/// <param name="Offset">[out]</param>
public sealed record SideBranch(Tensor? Down, Tensor? Up, Tensor? Offset) : IDisposable
{
    /// <param name="y">[…, out], changed in place.</param>
    public void AddTo(Tensor y, Tensor x)
    {
        if (Down is not null && Up is not null)
        {
            using var cast = x.dtype == Down.dtype ? x.alias() : x.to(Down.dtype);
            using var low = Product.Linear(cast, Down);
            using var high = Product.Linear(low, Up);
            y.add_(high);
        }
        if (Offset is not null)
        {
            y.add_(Offset);
        }
    }

    public long Bytes => new[] { Down, Up, Offset }.Sum(part => part is null ? 0 : part.numel() * part.element_size());

    public void Dispose()
    {
        Down?.Dispose();
        Up?.Dispose();
        Offset?.Dispose();
    }
}

/// <summary>
/// Branches beside the products of streamed blocks, whose own weights stay what they are for every job. A block object over
/// a ring slot is every block that passes through it, so a branch is looked up by the block that runs.
/// </summary>
/// <param name="branches">By block and by the product's name within it; taken over.</param>
public sealed class SideBranches(IReadOnlyDictionary<(int Block, string Name), SideBranch> branches) : IDisposable
{
    private readonly HashSet<string> _names = [.. branches.Keys.Select(key => key.Name)];

    /// <summary>The block that runs now.</summary>
    public int Block { get; set; }

    /// <summary>Of all branches, for as long as they are held.</summary>
    public long Bytes => branches.Values.Sum(branch => branch.Bytes);

    /// <summary>Whether any block has a branch at this product.</summary>
    public bool Has(string name) => _names.Contains(name);

    /// <summary>Of the block that runs now, or null.</summary>
    public SideBranch? Find(string name) => branches.GetValueOrDefault((Block, name));

    public void Dispose()
    {
        foreach (var branch in branches.Values)
        {
            branch.Dispose();
        }
    }
}

/// <summary>Weights whose products have branches beside them.</summary>
public sealed class SideBranchWeights(IWeights weights, SideBranches branches, string prefix = "") : IWeights
{
    public ScalarType Type => weights.Type;

    public IWeights Scope(string name) => new SideBranchWeights(weights.Scope(name), branches, $"{prefix}{name}.");

    public IWeights As(ScalarType type) => new SideBranchWeights(weights.As(type), branches, prefix);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape) => weights.Tensor(name, shape);

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
        Beside(weights.Linear(name, inFeatures, outFeatures, bias), [name], outFeatures);

    public Linear Joined(IReadOnlyList<string> names, int inFeatures, int outFeatures) =>
        Beside(weights.Joined(names, inFeatures, outFeatures), names, outFeatures);

    private Linear Beside(Linear main, IReadOnlyList<string> names, int outFeatures)
    {
        string[] full = [.. names.Select(name => prefix + name)];
        return full.Any(branches.Has) ? new BranchedLinear(main, branches, full, outFeatures) : main;
    }

    /// <summary>Takes dense rows, since the branch multiplies in the compute type; the product beside it may quantise its own.</summary>
    private sealed class BranchedLinear(Linear main, SideBranches branches, IReadOnlyList<string> names, int outFeatures) : Linear
    {
        public override Tensor Apply(Tensor x)
        {
            var y = main.Apply(x);
            for (var i = 0; i < names.Count; i++)
            {
                if (branches.Find(names[i]) is not { } branch)
                {
                    continue;
                }

                using var part = y.narrow(-1, (long)i * outFeatures, outFeatures);
                branch.AddTo(part, x);
            }
            return y;
        }
    }
}
