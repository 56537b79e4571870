using System.CommandLine;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Cuda;
using RenderFarm.Planning;
using RenderFarm.Planning.Requests;
using RenderFarm.Rendering;
using RenderFarm.Verbs.Bench;

namespace RenderFarm.Tools.Bench.StepCaches;

/// <summary>What <c>bench step-cache</c> was asked to measure.</summary>
/// <param name="Folder">A model's.</param>
internal sealed record StepCacheChoices(string Folder)
{
    public string? As { get; private init; }
    public required string Device { get; init; }
    private string Prompt { get; init; } = "";
    private long Seed { get; init; }
    private int? Steps { get; init; }
    private int? Frames { get; init; }
    private (int Width, int Height)? Size { get; init; }
    private Dictionary<string, string> Pictures { get; } = [];

    public static StepCacheChoices Of(ParseResult parsed, StepCacheVerb verb)
    {
        var choices = new StepCacheChoices(parsed.GetRequiredValue(verb.Folder))
        {
            As = parsed.GetValue(verb.As),
            Device = parsed.GetRequiredValue(verb.Device),
            Prompt = parsed.GetRequiredValue(verb.Prompt),
            Seed = parsed.GetValue(verb.Seed) ?? 1,
            Steps = parsed.GetValue(verb.Steps),
            Frames = parsed.GetValue(verb.Frames),
            Size = parsed.GetValue(verb.Size),
        };
        if (parsed.GetValue(verb.Image) is { } first)
        {
            choices.Pictures[InputRoles.FirstFrame] = first;
        }
        if (parsed.GetValue(verb.LastFrame) is { } last)
        {
            choices.Pictures[InputRoles.LastFrame] = last;
        }
        return choices;
    }

    /// <exception cref="RenderException">No plan fits.</exception>
    public RenderOrder Order(ModelManifest manifest, string figuresOf)
    {
        var shape = manifest.Shape;
        var (width, height) = Size ?? (shape.Defaults.Width, shape.Defaults.Height);
        var spec = new RenderSpec
        {
            Model = figuresOf,
            Prompt = Prompt,
            NegativePrompt = shape.Defaults.NegativePrompt,
            Width = width,
            Height = height,
            Frames = Frames ?? shape.Defaults.Frames,
            Fps = shape.Defaults.Fps,
            Steps = Steps ?? shape.Defaults.Steps,
            Shift = shape.Defaults.ShiftOf(width, height),
            GuidanceScale = shape.Defaults.GuidanceScale,
            HighNoiseGuidanceScale = shape.Defaults.HighNoiseGuidanceScale,
            Seed = Seed,
            StepCache = new StepCacheChoice(StepCacheKind.Magcache),
        };
        var slot =
            Device == "cpu"
                ? SlotState.Cpu(64 * Gibibytes.One)
                : SlotState.Gpu(0) with
                {
                    TotalBytes = CudaDevice.Memory.Total,
                    FreeBytes = CudaDevice.Memory.Free,
                };
        // With room for what a cache keeps.
        var result = Planner.Plan(PlanRequest.Of(shape, spec, Pictures.Count > 0), slot);
        var plan = result.Plan ?? throw new RenderException(FailureReason.InvalidRequest, result.Refusal!.Message);
        return new RenderOrder
        {
            JobId = "bench",
            Fence = 1,
            Spec = spec with { StepCache = null },
            Plan = plan,
            Shape = shape,
            Files = manifest.Files.In(Folder),
            FramePipe = "",
            WorkDirectory = Path.GetTempPath(),
            InputFiles = Pictures,
        };
    }
}
