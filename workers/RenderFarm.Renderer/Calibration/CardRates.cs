using System.Diagnostics;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>
/// The rates of the card at hand. Products and attention take turns as they do in a block, on random numbers, for long
/// enough that the card's power limit has its say: alone and cold each would look faster than it is in a render.
/// </summary>
internal sealed class CardRates(KernelCompiler compiler)
{
    private const int Dim = 5120;
    private const int Hidden = 13824;
    private const int Heads = 40;
    private const int ManyTokens = 32_760;
    private const int FewTokens = 8192;
    private const long RoomForMany = 8 * Gibibytes.One;
    private const long CopyBytes = 256L << 20;
    private const double MixSeconds = 3;
    private const double OthersSeconds = 0.5;

    /// <summary>Row-wise e4m3 products are trusted up to this error against the same rounded numbers in float32.</summary>
    private const double Float8Error = 5e-3;

    public CardCalibration Measure(string key, Action<string> say)
    {
        using var kernels = new TokenKernels(compiler);
        long tokens = CudaDevice.Memory.Free > RoomForMany ? ManyTokens : FewTokens;
        var (bf16, attention) = Mix(tokens, RowFormat.Dense, kernels);
        double? fp8 = null;
        if (WhyNoFloat8(kernels) is { } reason)
        {
            say($"no fp8 products: {reason}");
        }
        else
        {
            (fp8, var besideFp8) = Mix(tokens, RowFormat.Float8, kernels);
            attention = (attention + besideFp8) / 2;
        }
        double? eightBit = null;
        if (EightBitAttentionCheck.WhyNot(kernels) is { } why)
        {
            say($"no eight-bit attention: {why}");
        }
        else
        {
            var beside = fp8 is null ? RowFormat.Dense : RowFormat.Float8;
            (_, eightBit) = Mix(tokens, beside, kernels, new FusedEightBitAttention(kernels.Attention));
        }
        double? int8 = null;
        if (Int8ProductCheck.WhyNot(kernels) is { } lack)
        {
            say($"no int8 products: {lack}");
        }
        else
        {
            (int8, _) = Mix(tokens, RowFormat.Int8, kernels);
        }
        return new CardCalibration
        {
            Key = key,
            Bf16Flops = bf16,
            Fp8Flops = fp8,
            Int8Flops = int8,
            AttentionFlops = attention,
            EightBitAttentionFlops = eightBit,
            Fp32Flops = Products32(),
            HostToDeviceBytesPerSecond = Copies(),
            MemoryBytesPerSecond = Traffic(),
        };
    }

    /// <summary>FLOP/s of products and of attention in a block's proportions.</summary>
    /// <param name="eightBit">Measured instead of attention in full, from q, k and v side by side.</param>
    private static (double Products, double Attention) Mix(long tokens, RowFormat format, TokenKernels kernels, IAttention? eightBit = null)
    {
        using var scope = NewDisposeScope();
        var ops = new FusedTokenOps(kernels);
        Tensor Random(double scale, params long[] size) => randn(size, dtype: ScalarType.BFloat16, device: CUDA) * scale;
        Linear Product(int inputs, int outputs)
        {
            var (weight, bias) = (Random(0.02, outputs, inputs), Random(0.1, outputs));
            if (format == RowFormat.Dense)
            {
                return new FusedLinear(weight, bias, kernels.Products);
            }

            var (values, scales) = EightBits.QuantizeRows(weight, format == RowFormat.Int8 ? Int8.Type : Float8.Type);
            return format == RowFormat.Int8
                ? new Int8Linear(values, scales, bias, new FusedInt8Products(ops))
                : new Float8Linear(values, scales, bias, ops);
        }
        var (joined, square, up, down) = (Product(Dim, 3 * Dim), Product(Dim, Dim), Product(Dim, Hidden), Product(Hidden, Dim));
        var (rows, wide) = (ops.Rows(Random(1, 1, tokens, Dim), format), ops.Rows(Random(1, 1, tokens, Hidden), format));
        Action attend;
        if (eightBit is null)
        {
            var heads = Random(1, 1, tokens, Heads, Dim / Heads);
            attend = () => Attention.Apply(heads, heads, heads).Dispose();
        }
        else
        {
            var qkv = Random(1, 1, tokens, 3 * Dim);
            var norms = new HeadNorms(ones([Dim], device: CUDA), ones([Dim], device: CUDA), 1e-6, Heads);
            var turns = ones([tokens, 1, Dim / Heads / 2], device: CUDA);
            var angles = polar(turns, turns);
            attend = () => eightBit.Apply(0, qkv.alias(), norms, angles).Dispose();
        }

        using var watch = new EventWatch();
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < MixSeconds)
        {
            watch.Time("products", () => joined.Apply(rows).Dispose());
            watch.Time("attention", attend);
            watch.Time(
                "products",
                () =>
                {
                    for (var i = 0; i < 3; i++)
                    {
                        square.Apply(rows).Dispose(); // O; cross-attention's q and o
                    }

                    up.Apply(rows).Dispose();
                    down.Apply(wide).Dispose();
                }
            );
            CudaDevice.Synchronize();
        }
        var products = 2.0 * tokens * Dim * (6.0 * Dim + 2.0 * Hidden);
        var attention = 4.0 * tokens * tokens * Dim;
        return (
            products * watch.Rounds("attention") / watch.Seconds("products"),
            attention * watch.Rounds("attention") / watch.Seconds("attention")
        );
    }

    /// <summary>Null when row-wise e4m3 products run here and are right.</summary>
    private static string? WhyNoFloat8(TokenKernels kernels)
    {
        var (major, minor) = CudaDevice.ComputeCapability;
        if ((major, minor).CompareTo((8, 9)) < 0)
        {
            return $"compute capability {major}.{minor}, 8.9 is needed";
        }

        using var scope = NewDisposeScope();
        try
        {
            var ops = new FusedTokenOps(kernels);
            var (values, scales) = Float8.QuantizeRows(randn([512, 1024], dtype: ScalarType.BFloat16, device: CUDA) * 0.02);
            using var rows = ops.Rows(randn([1, 300, 1024], dtype: ScalarType.BFloat16, device: CUDA), RowFormat.Float8);
            var product = new Float8Linear(values, scales, null, ops).Apply(rows).to(ScalarType.Float32);
            var exact = nn.functional.linear(
                rows.Values.to(ScalarType.Float32) * rows.Scales!,
                EightBits.Dequantize(values, scales, ScalarType.Float32)
            );
            double error = ((product - exact).norm() / exact.norm()).item<float>();
            return error <= Float8Error ? null : $"row-wise products are off by {error:0.0e+0}";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }

    private static double Products32()
    {
        using var scope = NewDisposeScope();
        const int Size = 4096;
        var (a, b) = (randn([Size, Size], device: CUDA), randn([Size, Size], device: CUDA));
        return 2.0 * Size * Size * Size * PerSecond(() => a.matmul(b).Dispose());
    }

    /// <summary>Bytes a second from page-locked host memory.</summary>
    private static double Copies()
    {
        using var host = PinnedMemory.Allocate(CopyBytes);
        using var target = empty([CopyBytes], dtype: ScalarType.Byte, device: CUDA);
        return CopyBytes * PerSecond(() => DeviceCopy.ToDevice(AtenOps.DataPointer(target), host.Address, CopyBytes, CudaStream.Default));
    }

    /// <summary>Bytes a second read and written in device memory.</summary>
    private static double Traffic()
    {
        using var scope = NewDisposeScope();
        var (from, to) = (
            empty([CopyBytes], dtype: ScalarType.Byte, device: CUDA).fill_(7),
            empty([CopyBytes], dtype: ScalarType.Byte, device: CUDA)
        );
        return 2.0 * CopyBytes * PerSecond(() => to.copy_(from));
    }

    private static double PerSecond(Action action)
    {
        for (var i = 0; i < 3; i++)
        {
            action();
        }

        CudaDevice.Synchronize();
        var rounds = 0;
        var started = Stopwatch.GetTimestamp();
        do
        {
            for (var i = 0; i < 10; i++)
            {
                action();
            }

            CudaDevice.Synchronize();
            rounds += 10;
        } while (Stopwatch.GetElapsedTime(started).TotalSeconds < OthersSeconds);
        return rounds / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Device time by name.</summary>
    private sealed class EventWatch : IDisposable
    {
        private readonly List<(string Name, CudaEvent Start, CudaEvent End)> _laps = [];

        public void Time(string name, Action action)
        {
            var (start, end) = (CudaEvent.Create(timing: true), CudaEvent.Create(timing: true));
            _laps.Add((name, start, end));
            start.Record(CudaStream.Default);
            action();
            end.Record(CudaStream.Default);
        }

        public int Rounds(string name) => Counted(name).Count();

        public double Seconds(string name) => Counted(name).Sum(lap => lap.End.Since(lap.Start).TotalSeconds);

        public void Dispose()
        {
            foreach (var (_, start, end) in _laps)
            {
                start.Dispose();
                end.Dispose();
            }
        }

        /// <summary>The first third is the card getting warm.</summary>
        private IEnumerable<(string Name, CudaEvent Start, CudaEvent End)> Counted(string name)
        {
            var laps = _laps.Where(lap => lap.Name == name).ToList();
            return laps.Skip(laps.Count / 3);
        }
    }
}
