using System.Collections.Frozen;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>What a stored tensor holds of the checkpoint's.</summary>
public enum StoredPart
{
    /// <summary>The tensor itself, in the stored type.</summary>
    Value,

    /// <summary>A weight [out, in] in eight bits: e4m3 or int8, as the tensor's type says.</summary>
    EightBitWeight,

    /// <summary>Its scales, float32 [out, 1].</summary>
    EightBitScales,
}

/// <summary>A tensor's place in a run of bytes. <paramref name="Name"/> is the checkpoint's, relative to the block.</summary>
public sealed record StoredTensor(string Name, StoredPart Part, ScalarType Type, IReadOnlyList<long> Shape, long Offset)
{
    public long Bytes => Shape.Aggregate(1L, (product, size) => product * size) * Size(Type);

    internal static int Size(ScalarType type) => Safetensors.ElementType.Of(type).Bytes;
}

/// <summary>
/// How the weights of one of many equal blocks lie in one contiguous run of bytes, the same for all of them: so a block is
/// one copy, and a block object built over a ring slot is every block that is copied there. Products of the same rows
/// (q, k, v) lie side by side, weights, scales and biases each, and are one product.
/// </summary>
public sealed class BlockLayout
{
    private const int Alignment = 256;

    private BlockLayout(WeightFormat format, IReadOnlyList<StoredTensor> tensors, long bytes, IReadOnlySet<string> castUp) =>
        (Format, Tensors, Bytes, CastUp) = (format, tensors, bytes, castUp);

    public WeightFormat Format { get; }

    public IReadOnlyList<StoredTensor> Tensors { get; }

    /// <summary>A multiple of 4096: runs lie one after the other in a file that is mapped.</summary>
    public long Bytes { get; }

    /// <summary>Weights, by name, that are cast up for their product although the format multiplies in eight bits.</summary>
    public IReadOnlySet<string> CastUp { get; }

    /// <summary>The layout of what <paramref name="build"/> asks for.</summary>
    /// <param name="castUp">Weights that are cast up for their product, whatever the format multiplies in.</param>
    public static BlockLayout Of<T>(Func<IWeights, T> build, WeightFormat format, IReadOnlySet<string>? castUp = null)
    {
        using var recorder = new Recorder(format);
        build(recorder.Root);
        return new BlockLayout(format, recorder.Tensors, (recorder.End + 4095) / 4096 * 4096, castUp ?? FrozenSet<string>.Empty);
    }

    public StoredTensor Find(string name, StoredPart part) =>
        Tensors.FirstOrDefault(tensor => tensor.Name == name && tensor.Part == part)
        ?? throw new InvalidOperationException($"the layout has no {part} of {name}");

    /// <summary>Weights that only write down what is asked for.</summary>
    private sealed class Recorder(WeightFormat format) : IDisposable
    {
        private readonly List<Tensor> _placeholders = [];

        public List<StoredTensor> Tensors { get; } = [];

        public long End { get; private set; }

        public IWeights Root => new Scoped(this, "", ScalarType.BFloat16);

        public void Dispose()
        {
            foreach (var placeholder in _placeholders)
            {
                placeholder.Dispose();
            }
        }

        private void Add(string name, StoredPart part, ScalarType type, ReadOnlySpan<long> shape, bool adjacent)
        {
            if (!adjacent)
            {
                End = (End + Alignment - 1) / Alignment * Alignment;
            }

            var stored = new StoredTensor(name, part, type, shape.ToArray(), End);
            Tensors.Add(stored);
            End += stored.Bytes;
        }

        private sealed class Scoped(Recorder recorder, string prefix, ScalarType type) : IWeights
        {
            public ScalarType Type => type;

            public IWeights Scope(string name) => new Scoped(recorder, $"{prefix}{name}.", type);

            public IWeights As(ScalarType other) => new Scoped(recorder, prefix, other);

            public Tensor Tensor(string name, params ReadOnlySpan<long> shape)
            {
                recorder.Add(prefix + name, StoredPart.Value, type, shape, adjacent: false);
                var placeholder = empty(shape.ToArray(), dtype: type, device: META).DetachFromDisposeScope();
                recorder._placeholders.Add(placeholder);
                return placeholder;
            }

            public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
                Products([name], inFeatures, outFeatures, bias);

            public Linear Joined(IReadOnlyList<string> names, int inFeatures, int outFeatures) =>
                Products(names, inFeatures, outFeatures, bias: true);

            private Placeholder Products(IReadOnlyList<string> names, int inFeatures, int outFeatures, bool bias)
            {
                if (StoredIn(recorder.Format, type) is { } eightBits)
                {
                    Each("weight", StoredPart.EightBitWeight, eightBits, outFeatures, inFeatures);
                    Each("weight", StoredPart.EightBitScales, ScalarType.Float32, outFeatures, 1);
                }
                else
                {
                    Each("weight", StoredPart.Value, type, outFeatures, inFeatures);
                }

                if (bias)
                {
                    Each("bias", StoredPart.Value, type, outFeatures);
                }

                return new Placeholder();

                void Each(string what, StoredPart part, ScalarType stored, params ReadOnlySpan<long> shape)
                {
                    for (var i = 0; i < names.Count; i++)
                    {
                        recorder.Add($"{prefix}{names[i]}.{what}", part, stored, shape, adjacent: i > 0);
                    }
                }
            }
        }

        private WeightFormat Format => format;

        /// <summary>Asked only for its shape.</summary>
        private sealed class Placeholder : Linear
        {
            public override Tensor Apply(Tensor x) => throw new NotSupportedException("a layout has no weights");
        }
    }

    /// <summary>
    /// The eight bits that a product's weight is stored in, or null. Only products in the compute type are: what is asked for in float32
    /// is wanted exact.
    /// </summary>
    internal static ScalarType? StoredIn(WeightFormat format, ScalarType type) =>
        type == ScalarType.BFloat16 ? EightBits.TypeOf(format) : null;
}
