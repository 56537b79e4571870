using System.Diagnostics;
using RenderFarm.Contracts.Models;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>A forward of the DiT on fixed random inputs, timed.</summary>
internal sealed class DenoiserForward : IDisposable
{
    private readonly GeneratedWeights _rest;
    private readonly WanModel _model;
    private readonly ContextCache _context;
    private readonly Tensor _latent;
    private readonly long _chunk;

    /// <param name="shape">Of the model.</param>
    /// <param name="blocks">Its blocks; all other weights are drawn with <paramref name="inputs"/>.</param>
    /// <param name="ops">What it computes with.</param>
    /// <param name="inputs">What it is given.</param>
    /// <param name="keepContext">Keys and values of the text are kept from one forward to the next.</param>
    /// <param name="chunk">Tokens of a feed-forward at once.</param>
    /// <param name="attention">Null: the model's own.</param>
    public DenoiserForward(
        TransformerShape shape,
        IBlockSource<WanBlock> blocks,
        ITokenOps ops,
        RandomInputs inputs,
        bool keepContext,
        long chunk = long.MaxValue,
        IAttention? attention = null
    )
    {
        _rest = new GeneratedWeights(inputs.Seed, CUDA, type: inputs.Type);
        _model = new WanModel(_rest, shape, blocks, ops, attention);
        cuda.manual_seed(inputs.Seed + 1);
        var (width, height, frames) = inputs.Video;
        _latent = randn(
                [1, shape.InChannels, (frames - 1) / 4 + 1, height / 8, width / 8],
                dtype: ScalarType.Float32,
                device: CUDA
            )
            .DetachFromDisposeScope();
        using var text = randn([120, shape.TextDim], dtype: ScalarType.Float32, device: CUDA);
        _context = _model.Embed([text], keepKeyValues: keepContext);
        _chunk = chunk;
    }

    /// <summary>Velocity; the caller owns it.</summary>
    public Tensor Run(double timestep = 700, Tensor? latent = null)
    {
        using var scope = NewDisposeScope();
        return _model
            .Forward(latent ?? _latent, Timesteps.Uniform(timestep), _context, feedForwardTokens: _chunk)
            .MoveToOuterDisposeScope()
            .DetachFromDisposeScope();
    }

    public Tensor Latent => _latent;

    /// <summary>Median seconds of several forwards after a warm-up, the pool's high-water mark over them, and the last result.</summary>
    public (double Seconds, long UsedHighWater, Tensor Velocity) Time(int repeats)
    {
        Run().Dispose();
        CudaDevice.Synchronize();
        var pool = MemoryPool.OfDevice();
        pool.ResetHighWater();
        var seconds = new List<double>();
        Tensor? velocity = null;
        for (var i = 0; i < repeats; i++)
        {
            velocity?.Dispose();
            var started = Stopwatch.GetTimestamp();
            velocity = Run();
            CudaDevice.Synchronize();
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return (seconds.Order().ElementAt(repeats / 2), pool.UsedHighWater, velocity!);
    }

    public void Dispose()
    {
        _context.Dispose();
        _latent.Dispose();
        _model.Dispose();
        _rest.Dispose();
    }
}

/// <summary>What a forward is given, and the weights outside of the blocks: all drawn from one seed.</summary>
/// <param name="Video">Its frames are 4n+1.</param>
internal sealed record RandomInputs(
    (int Width, int Height, int Frames) Video,
    long Seed,
    ScalarType Type = ScalarType.BFloat16
);
