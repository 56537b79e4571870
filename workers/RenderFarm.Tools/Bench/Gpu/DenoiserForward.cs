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

    /// <param name="video">Its frames are 4n+1.</param>
    public DenoiserForward(
        TransformerShape shape,
        IBlockSource<WanBlock> blocks,
        ITokenOps ops,
        (int Width, int Height, int Frames) video,
        long seed,
        Device device,
        bool keepContext,
        long chunk = long.MaxValue,
        ScalarType type = ScalarType.BFloat16,
        IAttention? attention = null
    )
    {
        _rest = new GeneratedWeights(seed, device, type: type);
        _model = new WanModel(_rest, shape, blocks, ops, attention);
        cuda.manual_seed(seed + 1);
        _latent = randn(
                [1, shape.InChannels, (video.Frames - 1) / 4 + 1, video.Height / 8, video.Width / 8],
                dtype: ScalarType.Float32,
                device: device
            )
            .DetachFromDisposeScope();
        using var text = randn([120, shape.TextDim], dtype: ScalarType.Float32, device: device);
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
        _rest.Dispose();
    }
}
