using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Inference.Layers;
using RenderFarm.Rendering.Conditioning;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>Loads the parts of a model as the render plan wants them. Each is owned by the caller and let go of before the next.</summary>
public sealed class Components(RenderOrder order)
{
    public Device Device { get; } = new(order.Plan.Device);

    private ModelShape Shape => order.Shape;

    /// <summary>Before anything takes time: every file is there.</summary>
    /// <exception cref="RenderException">The first that is not.</exception>
    public void RequireFiles()
    {
        var files = order.Files;
        foreach (var file in (string[])[.. files.Transformer, .. files.TextEncoder, files.Tokenizer, .. files.Vae])
        {
            if (!File.Exists(file))
                throw new RenderException(FailureReason.ModelUnavailable, $"{Shape.Id}: {file} is missing on this worker; put it there or remove the model");
        }
    }

    /// <summary>Its layers in memory, the embedding table in its file.</summary>
    public PromptEncoder PromptEncoder() => Conditioning.PromptEncoder.Load(order.Files, Shape, Device, ComputeType);

    public Loaded<WanModel> Transformer()
    {
        using var source = CheckpointFiles.Open(order.Files.Transformer);
        return LoadedWeights.Build(source, Device, ComputeType, weights => new WanModel(weights, Shape.Transformer));
    }

    /// <summary>Float32, as published: in sixteen bits gradients band.</summary>
    public Loaded<WanVae> Vae()
    {
        using var source = CheckpointFiles.Open(order.Files.Vae);
        return LoadedWeights.Build(source, Device, ScalarType.Float32, weights => new WanVae(weights, Shape.Vae));
    }

    private ScalarType ComputeType => order.Plan.Precision switch
    {
        Precision.Fp32 => ScalarType.Float32,
        Precision.Bf16 => ScalarType.BFloat16,
        var other => throw new RenderException(FailureReason.InvalidRequest, $"this renderer has no {other} products on {order.Plan.Device}; plan fp32 or bf16"),
    };
}
