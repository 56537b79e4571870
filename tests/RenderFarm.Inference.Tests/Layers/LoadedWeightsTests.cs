using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Layers;

public sealed class LoadedWeightsTests
{
    [Fact]
    public void Build_CheckpointFits_CastsToTheTypeAskedFor()
    {
        using var source = new Source(
            ("a.q.weight", ones(2, 3, dtype: ScalarType.BFloat16)),
            ("a.q.bias", ones(2)),
            ("a.norm", ones(3, dtype: ScalarType.Float16))
        );

        using var loaded = LoadedWeights.Build(
            source,
            CPU,
            ScalarType.Float32,
            weights =>
            {
                var a = weights.Scope("a");
                return (Linear: a.Linear("q", 3, 2), Norm: a.As(ScalarType.Float64).Tensor("norm", 3));
            }
        );

        using var y = loaded.Module.Linear.Apply(loaded.Module.Norm);
        Assert.Equal([4f, 4f], y.data<float>().ToArray());
        Assert.Equal(ScalarType.Float64, loaded.Module.Norm.dtype);
    }

    [Fact]
    public void Build_ForeignCheckpoint_OneErrorNamesFileMissingMisshapenAndUnknown()
    {
        using var source = new Source(("a.weight", ones(2, 2)), ("stranger", ones(1)));

        var fault = Assert.Throws<CheckpointException>(() =>
            LoadedWeights.Build(
                source,
                CPU,
                ScalarType.Float32,
                weights => (weights.Tensor("a.weight", 2, 3), weights.Tensor("b", 1), weights.Tensor("c", 1))
            )
        );

        Assert.StartsWith("memory: b:", fault.Message);
        Assert.Contains("2 tensors missing (b, c)", fault.Message);
        Assert.Contains("a.weight [2, 2] instead of [2, 3]", fault.Message);
        Assert.Contains("1 tensor unknown to this model (stranger)", fault.Message);
    }

    [Fact]
    public void Build_Fails_LeavesNoTensors()
    {
        using var source = new Source(("a", ones(2)));
        var before = Tensor.TotalCount;

        Assert.Throws<CheckpointException>(() =>
            LoadedWeights.Build(source, CPU, ScalarType.Float32, weights => (weights.Tensor("a", 2), weights.Tensor("b", 2)))
        );

        Assert.InRange(Tensor.TotalCount, 0, before); // Fewer when the garbage of an earlier test went meanwhile
    }

    [Fact]
    public void WeightListing_Module_WritesDownNamesTypesAndShapes()
    {
        var entries = WeightListing.Of(weights => (weights.Scope("a").Linear("q", 3, 2), weights.As(ScalarType.Float32).Tensor("t", 1, 6)));

        Assert.Equal(["a.q.weight BF16 [2, 3]", "a.q.bias BF16 [2]", "t F32 [1, 6]"], entries.Select(entry => entry.ToString()));
    }

    private sealed class Source(params (string Name, Tensor Tensor)[] tensors) : ITensorSource
    {
        public string Name => "memory";

        public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
            tensors.ToDictionary(t => t.Name, t => new TensorEntry(t.Name, ElementType.Of(t.Tensor.dtype), t.Tensor.shape));

        public Tensor Load(string name) => tensors.Single(t => t.Name == name).Tensor.clone().DetachFromDisposeScope();

        public void Dispose()
        {
            foreach (var (_, tensor) in tensors)
            {
                tensor.Dispose();
            }
        }
    }
}
