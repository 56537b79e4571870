using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Planning.StepCaching;
using RenderFarm.Rendering.Caching;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Loras;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Loading;

/// <summary>What plans count from shapes, against what the engine holds.</summary>
public sealed class PlannedBytesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("tiny")]
    [InlineData("tiny-i2v")] // With projections for pictures
    public void LoraBranches_OnEveryProduct_HoldWhatThePlanCounts(string id)
    {
        var shape = ModelShapes.Get(id);
        var streamed = PlanRequest.DefaultOf(shape) with
        {
            Loras = 1,
            Pins = new() { BlocksStreamed = shape.Transformer.Layers },
        };

        Assert.Equal(Planned(streamed).LoraBytes, Held(shape, ParameterCounts.TypicalLoraRank).Bytes);
        var (bytes, numbers) = Held(shape, rank: 3);
        Assert.Equal(Planned(streamed with { LoraParameters = numbers }).LoraBytes, bytes);
    }

    [Theory]
    [InlineData(5.0)]
    [InlineData(1.0)]
    public void StepCache_OfARun_HoldsWhatThePlanCounts(double guidance)
    {
        const int Steps = 4;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var shape = ModelShapes.Tiny;
        var model = RandomModel.Write(shape, _folder.Path, seed: 1, _ => { });
        using var source = CheckpointFiles.Open(_folder.File(model.Files.Transformer[0]));
        using var dit = LoadedWeights.Build(source, CPU, ScalarType.Float32, weights => new WanModel(weights, shape.Transformer));
        using var prompt = dit.Module.Embed([randn([5, shape.Transformer.TextDim])]);
        using var negative = dit.Module.Embed([randn([3, shape.Transformer.TextDim])]);
        using var sampler = new UniPcSampler(FlowSchedule.UniPc(Steps, 5));
        var ratios = Enumerable.Repeat(1.0, Steps).ToList();
        using var cache = new MagCache(new(ratios, ratios), new MagCacheSettings(1, 1, 0.2), Steps, 0, ScalarType.Float32);

        Denoiser.Run(
            new DenoiseInput(dit.Module, prompt, guidance > 1 ? negative : null, guidance) { StepCache = cache },
            randn([1, 16, 2, 6, 10]),
            sampler
        );

        var request = PlanRequest.DefaultOf(shape) with { Width = 80, Height = 48, Frames = 5, GuidanceScale = guidance, StepCache = true };
        var plan = Planner.Plan(request, SlotState.Cpu(4L << 30)).Plan!;
        Assert.True(cache.Skipped > 0);
        Assert.Equal(plan.StepCacheBytes, cache.Bytes);
    }

    public void Dispose() => _folder.Dispose();

    private static RenderPlan Planned(PlanRequest request) => Planner.Plan(request, SlotState.Gpu(8)).Plan!;

    /// <summary>A LoRA on every matrix of every block, as branches in host memory.</summary>
    private (long Bytes, long Numbers) Held(ModelShape shape, int rank)
    {
        using var scope = NewDisposeScope();
        var matrices = Layouts
            .Transformer(shape.Transformer)
            .Where(tensor =>
                tensor.Name.StartsWith("blocks.", StringComparison.Ordinal)
                && tensor.Name.EndsWith(".weight", StringComparison.Ordinal)
                && tensor.Shape.Count == 2
            );
        var tensors = matrices
            .SelectMany(tensor =>
                new (string Name, Tensor Values)[]
                {
                    (tensor.Name.Replace(".weight", ".lora_A.weight", StringComparison.Ordinal), ones(rank, tensor.Shape[1])),
                    (tensor.Name.Replace(".weight", ".lora_B.weight", StringComparison.Ordinal), ones(tensor.Shape[0], rank)),
                }
            )
            .ToList();
        var path = _folder.File($"{shape.Id}-{rank}.safetensors");
        using (
            var writer = new SafetensorsWriter(
                path,
                tensors.Select(t => new TensorEntry(t.Name, ElementType.Of(t.Values.dtype), t.Values.shape))
            )
        )
        {
            foreach (var (name, values) in tensors)
            {
                writer.Write(name, values);
            }

            writer.Complete();
        }
        using var loras = LoraSet.Resolve([new NamedLora("all", 1, CheckpointFiles.Open(path))], shape.Transformer);
        using var branches = LoraBranches.Load(loras.Changes, CPU, ScalarType.BFloat16);
        return (branches.Bytes, tensors.Sum(t => t.Values.numel()));
    }
}
