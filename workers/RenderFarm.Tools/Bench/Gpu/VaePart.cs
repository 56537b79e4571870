using System.Diagnostics;
using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Planning;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Verbs.Figures;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// The VAE as a render runs it: whole videos to bytes and pictures to latents, seconds of each kind of step, peaks against plans, and how
/// far pixels are from float32.
/// </summary>
internal sealed class VaePart : IDisposable
{
    private const double PeakOff = 0.05;
    private const double PeakBelow = 0.02;
    private const double FarthestMean = 0.5; // Of 255

    private static readonly ModelShape Wan21 = ModelShapes.T2v14B;
    private static readonly ModelShape Wan22 = ModelShapes.Ti2v5B;

    /// <summary>A whole video and what its decoding may take.</summary>
    private static readonly (ModelShape Shape, int Width, int Height, int Frames, double AtMost)[] Videos =
    [
        (Wan21, 832, 480, 81, 1.0),
        (Wan21, 1280, 720, 81, 2.4),
        (Wan22, 1280, 704, 121, 6.5),
    ];

    /// <summary>Sizes and tiles whose peaks are held against plans.</summary>
    private static readonly (ModelShape Shape, int Width, int Height, int Tile)[] Peaks =
    [
        (Wan21, 480, 272, 0),
        (Wan21, 640, 480, 0),
        (Wan21, 832, 480, 0),
        (Wan21, 480, 832, 0),
        (Wan21, 960, 960, 0),
        (Wan21, 1280, 720, 0),
        (Wan21, 1280, 720, 96),
        (Wan21, 832, 480, 48),
        (Wan21, 832, 480, 24),
        (Wan22, 832, 480, 0),
        (Wan22, 1280, 704, 0),
        (Wan22, 1280, 704, 48),
        (Wan22, 1280, 704, 24),
    ];

    private readonly FigureReport _report;
    private readonly CardContext _driver = CardContext.Watch();
    private readonly TokenKernels _kernels = new(new KernelCompiler(KernelFolder.Path));

    private VaePart(FigureReport report)
    {
        _report = report;
        using (zeros(1, device: CUDA))
        {
            CudaDevice.Synchronize();
        }

        // A render comes from its products, whose workspaces stay
        using var scope = NewDisposeScope();
        var rows = randn([1, 512, 512], dtype: ScalarType.BFloat16, device: CUDA);
        rows.matmul(rows);
        new FusedLinear(rows.squeeze(0), null, _kernels.Products).Apply(rows);
    }

    public static void Run(FigureReport report)
    {
        using var part = new VaePart(report);
        using var scope = NewDisposeScope();
        foreach (var peak in Peaks) // First: kernels that no render loads stay in memory too
        {
            part.Peak(peak.Shape, peak.Width, peak.Height, peak.Tile);
        }

        foreach (var video in Videos)
        {
            part.Decode(video.Shape, video.Width, video.Height, video.Frames, video.AtMost);
            part.Steps(video.Shape, video.Width, video.Height);
        }

        part.Encode(Wan21, 832, 480, 81);
        part.Distances(Wan21, 832, 480, latentFrames: 3);
        part.Distances(Wan22, 640, 352, latentFrames: 3);
    }

    public void Dispose()
    {
        _kernels.Dispose();
        _driver.Dispose();
    }

    /// <summary>Seconds from the latent to the last byte, the sink taking no time. A start before: cuDNN loads and plans.</summary>
    private void Decode(ModelShape shape, int width, int height, int frames, double atMost)
    {
        using var scope = NewDisposeScope();
        using var vae = Load(shape);
        var latent = Latent(shape, width, height, (frames + 3) / 4);
        Write(vae.Module, shape, latent.narrow(2, 0, 3), tile: 0);
        var started = Stopwatch.GetTimestamp();
        Write(vae.Module, shape, latent, tile: 0);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var name = Name(shape, width, height);
        _report.Figure($"{name} x {frames}, decode", seconds, "s", atMost);
        var stride = shape.Vae.SpatialStride;
        var flops = VaeLayout.FlopsPerLatentFrame(VaeLayout.Decoder(shape.Vae), height / stride, width / stride) * latent.shape[2];
        _report.Figure($"{name} x {frames}, decode, rate", flops / seconds / 1e12, "TFLOP/s");
    }

    /// <summary>Milliseconds of each kind of step for one latent frame past the start.</summary>
    private void Steps(ModelShape shape, int width, int height)
    {
        using var scope = NewDisposeScope();
        var marks = new List<(string Step, CudaEvent At)>();
        using var vae = Load(shape, step => marks.Add((step, Mark())));
        foreach (var chunk in vae.Module.Decode(Latent(shape, width, height, 4)))
        {
            chunk.Dispose();
            if (marks[^1].Step != "end")
            {
                marks.Add(("end", Mark()));
            }
        }

        CudaDevice.Synchronize();
        var last = marks.FindLastIndex(marks.Count - 2, mark => mark.Step == "end");
        var steps = marks[last..].Zip(marks[(last + 1)..], (from, to) => (to.Step, to.At.Since(from.At).TotalMilliseconds));
        foreach (var kind in steps.GroupBy(step => step.Step, step => step.TotalMilliseconds).OrderByDescending(kind => kind.Sum()))
        {
            _report.Figure($"{Name(shape, width, height)}, a latent frame, {kind.Count()} of {kind.Key}", kind.Sum(), "ms");
        }

        marks.ForEach(mark => mark.At.Dispose());
    }

    private void Encode(ModelShape shape, int width, int height, int frames)
    {
        using var scope = NewDisposeScope();
        using var vae = Load(shape);
        vae.Module.Encode(9, Chunk).Dispose();
        var gauge = Watch();
        var started = Stopwatch.GetTimestamp();
        using var latent = vae.Module.Encode(frames, Chunk);
        CudaDevice.Synchronize();
        _report.Figure($"{Name(shape, width, height)} x {frames}, encode", Stopwatch.GetElapsedTime(started).TotalSeconds, "s");
        _report.Figure($"{Name(shape, width, height)}, encode, peak", Gibibytes.Of(gauge.PeakBytes()), "GiB");

        Tensor Chunk(long start, long count) => (rand([1, 3, count, height, width], device: CUDA) * 2) - 1;
    }

    private void Peak(ModelShape shape, int width, int height, int tile)
    {
        using var scope = NewDisposeScope();
        var plan = Plan(shape, width, height, frames: 17, tile);
        var gauge = Watch();
        using var vae = Load(shape);
        Write(vae.Module, shape, Latent(shape, width, height, frames: 5), tile);
        var (peak, planned) = (gauge.PeakBytes(), plan.StagePeakBytes[Word.Of(RenderStage.Decoding)]);
        var name = $"{Name(shape, width, height)}{(tile == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" in tiles of {tile}"))}";
        _report.Figure($"{name}, decode, peak", Gibibytes.Of(peak), "GiB");
        _report.Figure($"{name}, decode, held by tensors at most", Gibibytes.Of(MemoryPool.OfDevice().UsedHighWater), "GiB");
        _report.Figure($"{name}, decode, peak ÷ planned", peak / (double)planned, "", 1 + PeakBelow);
        var enough = peak >= planned * (1 - PeakOff);
        _report.Check($"{name}: no more than {PeakOff:P0} too much is planned for", enough, $"{Gibibytes.Of(planned):0.000} GiB");
    }

    private void Distances(ModelShape shape, int width, int height, int latentFrames)
    {
        using var scope = NewDisposeScope();
        var latent = Latent(shape, width, height, latentFrames);
        using var source = new GeneratedParts(shape, seed: 7, CUDA).Open(ModelPart.Vae);
        var name = Name(shape, width, height);
        Tensor exact;
        using (var plain = LoadedWeights.Build(source, CUDA, ScalarType.Float32, weights => new WanVae(weights, shape.Vae)))
        {
            exact = Pixels(plain.Module);
        }

        foreach (var type in new[] { ScalarType.BFloat16, ScalarType.Float16 })
        {
            using var plain = LoadedWeights.Build(source, CUDA, type, weights => new WanVae(weights, shape.Vae));
            Tell($"{name}, {type} by plain tensors", Pixels(plain.Module), atMost: null);
        }

        using (var wide = Load(shape, type: ScalarType.BFloat16))
        {
            Tell($"{name}, {ScalarType.BFloat16} by kernels", Pixels(wide.Module), atMost: null);
        }

        using var vae = Load(shape);
        Tell($"{name}, {vae.Module.Type} by kernels, as rendered", Pixels(vae.Module), FarthestMean);

        Tensor Pixels(WanVae module)
        {
            using var inner = NewDisposeScope();
            var chunks = module.Decode(latent).ToList();
            var pixels = cat(chunks, 2).add(1).mul(127.5).MoveToOuterDisposeScope();
            chunks.ForEach(chunk => chunk.Dispose());
            return pixels;
        }

        void Tell(string what, Tensor pixels, double? atMost)
        {
            using var off = (pixels - exact).abs();
            _report.Figure($"{what}, mean distance from float32", off.mean().item<float>(), "of 255", atMost);
            _report.Figure($"{what}, largest distance from float32", off.max().item<float>(), "of 255");
        }
    }

    private static void Write(WanVae vae, ModelShape shape, Tensor latent, int tile)
    {
        using var writer = new FrameWriter(new Nowhere());
        var pool = MemoryPool.OfDevice();
        new LatentDecoding(vae, shape.Vae, tile, () => pool.Trim()).Run(latent, writer, () => { }, () => { });
    }

    /// <param name="type">As a render has it, or the wider one that it falls back on.</param>
    private Loaded<WanVae> Load(ModelShape shape, Action<string>? stepped = null, ScalarType type = ScalarType.Float16)
    {
        using var source = new GeneratedParts(shape, seed: 7, CUDA).Open(ModelPart.Vae);
        var vae = LoadedWeights.Build(
            source,
            CUDA,
            type,
            weights => new WanVae(weights, shape.Vae) { Kernels = _kernels.Frames, Stepped = stepped },
            arrange: WanVae.ChannelsInnermost
        );
        MemoryPool.OfDevice().Trim();
        return vae;
    }

    private IMemoryGauge Watch()
    {
        MemoryPool.OfDevice().Trim();
        var gauge = _driver.Gauge();
        gauge.RestartPeak();
        return gauge;
    }

    private static Tensor Latent(ModelShape shape, int width, int height, int frames)
    {
        cuda.manual_seed(3);
        var stride = shape.Vae.SpatialStride;
        return randn([1, shape.Vae.LatentChannels, frames, height / stride, width / stride], device: CUDA);
    }

    private RenderPlan Plan(ModelShape shape, int width, int height, int frames, int tile)
    {
        var total = CudaDevice.Memory.Total;
        var result = Planner.Plan(
            new PlanRequest
            {
                Shape = shape,
                Width = width,
                Height = height,
                Frames = frames,
                Steps = 1,
                GuidanceScale = 1,
                Pins = new PlanPins { VaeTile = tile },
            },
            new SlotState
            {
                Kind = SlotKind.Cuda,
                Card = _driver.CardName,
                TotalBytes = total,
                FreeBytes = total,
                Calibration = KnownCards.Find(_driver.CardName),
            }
        );
        return result.Plan ?? throw new InvalidOperationException(result.Refusal!.Message);
    }

    private static CudaEvent Mark()
    {
        var mark = CudaEvent.Create(timing: true);
        mark.Record(CudaStream.Default);
        return mark;
    }

    private static string Name(ModelShape shape, int width, int height) =>
        string.Create(CultureInfo.InvariantCulture, $"VAE {(shape.Vae.Kind == VaeKind.Wan21 ? "2.1" : "2.2")}, {width} x {height}");

    private sealed class Nowhere : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) { }
    }
}
