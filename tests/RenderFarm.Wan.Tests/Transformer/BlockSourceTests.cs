using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Transformer;

/// <summary>The property that streaming stands on: a block built once over a slot is whichever block's weights lie in it.</summary>
public sealed class BlockSourceTests
{
    [Fact]
    public void Forward_OneSlotRefilledForEveryBlock_IsTheResidentModel()
    {
        using var scope = NewDisposeScope();
        using var resident = SyntheticModel.Build(SyntheticModel.Shape);
        using var source = SyntheticSource.For(weights => new WanModel(weights, SyntheticModel.Shape));
        using var slot = new OneSlot(source, SyntheticModel.Shape.Layers);
        using var weights = new LoadedWeights(source, CPU, ScalarType.Float32);
        using var streamed = new WanModel(weights, SyntheticModel.Shape, slot);
        using var residentContext = resident.Module.Embed([SyntheticModel.Context()]);
        using var streamedContext = streamed.Embed([SyntheticModel.Context()]);

        foreach (var timestep in new[] { 900.0, 400.0 }) // The second step finds the kept keys and values
        {
            var expected = resident.Module.Forward(SyntheticModel.Latent(), Timesteps.Uniform(timestep), residentContext);
            var actual = streamed.Forward(SyntheticModel.Latent(), Timesteps.Uniform(timestep), streamedContext);
            Assert.Equal(expected.data<float>().ToArray(), actual.data<float>().ToArray());
        }
        Assert.Equal(["enter 0", "leave 0", "enter 1", "leave 1", "enter 0", "leave 0", "enter 1", "leave 1"], slot.Log);
    }

    private sealed class OneSlot : IBlockSource<WanBlock>, IDisposable
    {
        private readonly SyntheticSource _source;
        private readonly Slot _weights = new("", []);
        private readonly WanBlock _block;

        public OneSlot(SyntheticSource source, int count)
        {
            (_source, Count) = (source, count);
            _block = new WanBlock(_weights, SyntheticModel.Shape);
        }

        public List<string> Log { get; } = [];

        public int Count { get; }

        public WanBlock Enter(int index)
        {
            Log.Add($"enter {index}");
            foreach (var (name, tensor) in _weights.Tensors)
            {
                using var stored = _source.Load($"blocks.{index}.{name}");
                tensor.copy_(stored);
            }
            return _block;
        }

        public void Leave(int index)
        {
            Log.Add($"leave {index}");
            foreach (var tensor in _weights.Tensors.Values)
            {
                tensor.fill_(float.NaN); // May be overwritten from here on
            }
        }

        public void Dispose()
        {
            foreach (var tensor in _weights.Tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }

    private sealed class Slot(string prefix, Dictionary<string, Tensor> tensors) : IWeights
    {
        public Dictionary<string, Tensor> Tensors => tensors;

        public ScalarType Type => ScalarType.Float32;

        public IWeights Scope(string name) => new Slot($"{prefix}{name}.", tensors);

        public IWeights As(ScalarType type) => this;

        public Tensor Tensor(string name, params ReadOnlySpan<long> shape)
        {
            var tensor = empty(shape.ToArray()).DetachFromDisposeScope();
            tensors.Add(prefix + name, tensor);
            return tensor;
        }

        public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
            new DenseLinear(Tensor(name + ".weight", outFeatures, inFeatures), bias ? Tensor(name + ".bias", outFeatures) : null);
    }
}
