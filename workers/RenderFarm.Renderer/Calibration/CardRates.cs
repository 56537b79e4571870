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
/// <param name="say">Why something is not measured.</param>
internal sealed class CardRates(KernelCompiler compiler, Action<string> say) : IDisposable
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

    private readonly TokenKernels _kernels = new(compiler);
    private readonly long _tokens = CudaDevice.Memory.Free > RoomForMany ? ManyTokens : FewTokens;

    public IReadOnlyList<RatePiece> Pieces =>
        [
            new("bf16", Full),
            new("fp8", Fp8),
            new("eight-bit attention", EightBitAttention),
            new("int8", Int8Products),
            new("float32", rates => rates with { Fp32Flops = Products32() }),
            new("copies", rates => rates with { HostToDeviceBytesPerSecond = Copies() }),
            new("memory", rates => rates with { MemoryBytesPerSecond = Traffic() }),
        ];

    public void Dispose() => _kernels.Dispose();

    private CardCalibration Full(CardCalibration rates)
    {
        var (products, attention) = Mix(RowFormat.Dense);
        return rates with { Bf16Flops = products, AttentionFlops = attention };
    }

    private CardCalibration Fp8(CardCalibration rates)
    {
        if (Float8Check.WhyNot(_kernels) is { } reason)
        {
            say($"no fp8 products: {reason}");
            return rates;
        }

        var (products, beside) = Mix(RowFormat.Float8);
        return rates with { Fp8Flops = products, AttentionFlops = (rates.AttentionFlops + beside) / 2 };
    }

    private CardCalibration EightBitAttention(CardCalibration rates)
    {
        if (EightBitAttentionCheck.WhyNot(_kernels) is { } reason)
        {
            say($"no eight-bit attention: {reason}");
            return rates;
        }

        var beside = rates.Fp8Flops is null ? RowFormat.Dense : RowFormat.Float8;
        var (_, attention) = Mix(beside, new FusedEightBitAttention(_kernels.Attention));
        return rates with { EightBitAttentionFlops = attention };
    }

    private CardCalibration Int8Products(CardCalibration rates)
    {
        if (Int8ProductCheck.WhyNot(_kernels) is { } reason)
        {
            say($"no int8 products: {reason}");
            return rates;
        }

        var (products, _) = Mix(RowFormat.Int8);
        return rates with { Int8Flops = products };
    }

    /// <summary>FLOP/s of products and of attention in a block's proportions.</summary>
    /// <param name="eightBit">Measured instead of attention in full, from q, k and v side by side.</param>
    private (double Products, double Attention) Mix(RowFormat format, IAttention? eightBit = null)
    {
        var (tokens, kernels) = (_tokens, _kernels);
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
