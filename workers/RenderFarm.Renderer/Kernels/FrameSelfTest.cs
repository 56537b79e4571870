using RenderFarm.Contracts.Models;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Kernels;

/// <summary>The kernels of a VAE's frames against plain tensors, one by one and as a whole VAE there and back.</summary>
internal static class FrameSelfTest
{
    private const double OneKernel = 4e-3; // bf16 rounds a value by up to 2^-9

    /// <summary>How much farther from float32 than plain bf16 a VAE may be.</summary>
    private const double BesidePlain = 1.1;

    public static void Run(FigureReport report)
    {
        using var kernels = new FrameKernels(new KernelCompiler(KernelFolder.Path));
        foreach (var type in new[] { ScalarType.BFloat16, ScalarType.Float16 })
        {
            foreach (var channels in new[] { 8, 16, 48, 96, 160, 192, 256, 384, 1024 })
            {
                OneByOne(report, kernels, channels, type);
            }

            foreach (var vae in new[] { ModelShapes.Tiny.Vae, ModelShapes.Demo.Vae })
            {
                ThereAndBack(report, kernels, vae, type);
            }
        }

        Overflow(report, kernels, ModelShapes.Tiny.Vae);
    }

    private static void OneByOne(FigureReport report, FrameKernels kernels, int channels, ScalarType type)
    {
        Tensor Random(params long[] sizes) => randn(sizes, device: CUDA).to(type);
        using var scope = NewDisposeScope();
        var (x, bias, gamma) = (Random(4, 13, 17, channels), Random(channels), Random(channels));
        var kept = Random(2, 13, 17, channels);
        var sum = Wide(x) + Wide(bias);
        var active = nn.functional.silu(sum / sum.norm(-1, true) * Math.Sqrt(channels) * Wide(gamma));
        Windows("norm and windows", active, bias, gamma, OneKernel);
        Windows("windows", Wide(x), null, null, 0);

        var y = Random(4, 13, 17, channels);
        var added = Wide(y) + Wide(bias) + Wide(x);
        kernels.Add(y, bias, x);
        Compare(report, $"{type} add {channels}", y, added, OneKernel);

        var pair = Random(3, 5, 7, 2 * channels);
        var wideBias = Random(2 * channels);
        var frames = (Wide(pair) + Wide(wideBias)).view(3, 5, 7, 2, channels).permute(0, 3, 1, 2, 4).reshape(6, 5, 7, channels);
        Compare(
            report,
            $"{type} enlarge {channels}",
            kernels.Enlarge(pair, wideBias, streams: 2),
            frames.repeat_interleave(2, 1).repeat_interleave(2, 2),
            OneKernel
        );

        foreach (var (from, times, skip) in new[] { (channels, 2, 1), (channels, 1, 0), (2 * channels, 1, 0) })
        {
            var small = Random(3, 5, 7, from);
            var unfolded = Wide(small)
                .repeat_interleave(channels * times * 4 / from, 3)
                .view(3, 5, 7, channels, times, 2, 2)
                .permute(0, 4, 1, 5, 2, 6, 3)
                .reshape(3 * times, 10, 14, channels)
                .narrow(0, skip, (3 * times) - skip);
            var large = Random((3 * times) - skip, 10, 14, channels);
            var expected = Wide(large) + unfolded;
            kernels.AddDuplicated(large, small, times, skip);
            Compare(report, $"{type} duplicate {from} to {channels}, {times} frames", large, expected, OneKernel);
        }

        void Windows(string name, Tensor values, Tensor? b, Tensor? g, double limit)
        {
            var before = kept.clone();
            var sequence = cat([Wide(before), values], 0);
            var windows = kernels.Windows(x, b, g, before);
            Compare(report, $"{type} {name} {channels}", windows, cat([sequence[..4], sequence[1..5], sequence[2..6]], 3), limit);
            Compare(report, $"{type} {name} {channels}, kept", before, sequence[4..6], limit);
        }
    }

    /// <summary>Both ways in float32, in sixteen bits by plain tensors and in sixteen bits by kernels, on the same weights.</summary>
    private static void ThereAndBack(FigureReport report, FrameKernels kernels, VaeShape shape, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var video = (rand([1, 3, 9, 6 * shape.SpatialStride, 4 * shape.SpatialStride], device: CUDA) * 2) - 1;
        using var source = new RandomSource(Layouts.Vae(shape));
        using var exact = LoadedWeights.Build(source, CUDA, ScalarType.Float32, weights => new WanVae(weights, shape));
        using var plain = LoadedWeights.Build(source, CUDA, type, weights => new WanVae(weights, shape));
        using var fused = ByKernels(source, kernels, shape, type);
        var latent = exact.Module.Encode(video);
        Compare("encode", latent, plain.Module.Encode(video), fused.Module.Encode(video));
        Compare("decode", Decoded(exact.Module), Decoded(plain.Module), Decoded(fused.Module));
        var same = Decoded(fused.Module).equal(Decoded(fused.Module)).all().item<bool>();
        report.Check($"{type} VAE {shape.Kind}, decode, the same twice", same, "");

        Tensor Decoded(WanVae vae) => cat(vae.DecodeUnclamped(latent).ToList(), 2);

        void Compare(string what, Tensor reference, Tensor byPlain, Tensor byKernels)
        {
            var (off, allowed) = (Distance(byKernels, reference), Distance(byPlain, reference) * BesidePlain);
            report.Check($"{type} VAE {shape.Kind}, {what} from float32", off <= allowed, $"error {off:0.0e+0}, limit {allowed:0.0e+0}");
        }
    }

    /// <summary>Features beyond what fp16 holds end in pixels that are no numbers, which a render looks for; bf16 holds them.</summary>
    private static void Overflow(FigureReport report, FrameKernels kernels, VaeShape shape)
    {
        using var scope = NewDisposeScope();
        using var source = new RandomSource(Layouts.Vae(shape)) { BiasOfBlocks = 40_000 };
        var latent = randn([1, shape.LatentChannels, 3, 6, 4], device: CUDA);
        foreach (var (type, holds) in new[] { (ScalarType.Float16, false), (ScalarType.BFloat16, true) })
        {
            using var vae = ByKernels(source, kernels, shape, type);
            var chunks = vae.Module.Decode(latent).Select(chunk => chunk.isfinite().all().item<bool>()).ToList();
            report.Check(
                $"{type} VAE {shape.Kind}, features of 80,000 {(holds ? "are held" : "are seen")}",
                chunks.TrueForAll(finite => finite == holds),
                $"{chunks.Count(finite => finite)} of {chunks.Count} chunks are numbers"
            );
        }
    }

    private static Loaded<WanVae> ByKernels(ITensorSource source, FrameKernels kernels, VaeShape shape, ScalarType type) =>
        LoadedWeights.Build(
            source,
            CUDA,
            type,
            weights => new WanVae(weights, shape) { Kernels = kernels },
            arrange: WanVae.ChannelsInnermost
        );

    private static Tensor Wide(Tensor values) => values.to(ScalarType.Float32);

    private static double Distance(Tensor actual, Tensor expected) =>
        ((Wide(actual) - Wide(expected)).norm() / Wide(expected).norm()).item<float>();

    private static void Compare(FigureReport report, string name, Tensor actual, Tensor expected, double limit)
    {
        var error = Distance(actual, expected);
        report.Check(name, error <= limit, $"error {error:0.0e+0}, limit {limit:0.0e+0}");
    }

    /// <summary>Weights that keep values at their scale, norms about one.</summary>
    private sealed class RandomSource(IReadOnlyList<ExpectedTensor> tensors) : ITensorSource
    {
        public string Name => "random weights";

        /// <summary>Added at the end of every residual block, where nothing takes it off again.</summary>
        public double BiasOfBlocks { get; init; }

        public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
            tensors.ToDictionary(
                tensor => tensor.Name,
                tensor => new TensorEntry(tensor.Name, ElementType.Of(ScalarType.Float32), tensor.Shape),
                StringComparer.Ordinal
            );

        /// <summary>The same for the same name: three VAEs are built on them.</summary>
        public Tensor Load(string name)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)(Entries.Keys.Order(StringComparer.Ordinal).ToList().IndexOf(name) + 1), CPU);
            var shape = Entries[name].Shape.ToArray();
            var values = randn(shape, generator: generator);
            var fanIn = shape.Skip(1).Aggregate(1L, (product, size) => product * size);
            return (
                name.EndsWith("gamma", StringComparison.Ordinal) ? (values * 0.1) + 1
                : name.EndsWith("residual.6.bias", StringComparison.Ordinal) ? (values * 0.1) + BiasOfBlocks
                : name.EndsWith("bias", StringComparison.Ordinal) ? values * 0.1
                : values / Math.Sqrt(fanIn)
            ).DetachFromDisposeScope();
        }

        public void Dispose() { }
    }
}
