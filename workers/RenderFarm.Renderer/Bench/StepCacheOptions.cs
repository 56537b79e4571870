using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Cuda;
using RenderFarm.Planning;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer.Bench;

/// <summary>What <c>bench step-cache</c> was asked to measure.</summary>
/// <param name="Folder">A model's.</param>
internal sealed record StepCacheOptions(string Folder)
{
    public string? As { get; private set; }
    public string Device { get; private set; } = "cpu";
    public bool Json { get; private set; }
    private string Prompt { get; set; } = "a red ball rolls to the right on green";
    private long Seed { get; set; } = 1;
    private int? Steps { get; set; }
    private int? Frames { get; set; }
    private (int Width, int Height)? Size { get; set; }
    private Dictionary<string, string> Pictures { get; } = [];

    /// <returns>Null for arguments that make no sense.</returns>
    public static StepCacheOptions? Read(string[] args)
    {
        if (args is not [var folder, ..] || folder.StartsWith('-'))
        {
            return null;
        }

        var options = new StepCacheOptions(folder);
        for (var i = 1; i < args.Length; i++)
        {
            if (args[i] == "--json")
            {
                options.Json = true;
            }
            else if (i + 1 >= args.Length || !options.Take(args[i], args[++i]))
            {
                return null;
            }
        }
        return options;
    }

    private bool Take(string name, string value)
    {
        bool Whole(out int number) => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
        switch (name)
        {
            case "--as":
                As = value;
                return true;
            case "--prompt":
                Prompt = value;
                return true;
            case "--image" or "--last-frame":
                Pictures[name == "--image" ? InputRoles.FirstFrame : InputRoles.LastFrame] = value;
                return true;
            case "--device":
                Device = value;
                return value is "cpu" or "cuda";
            case "--steps" when Whole(out var steps):
                Steps = steps;
                return true;
            case "--frames" when Whole(out var frames):
                Frames = frames;
                return true;
            case "--seed" when Whole(out var seed):
                Seed = seed;
                return true;
            case "--size"
                when value.Split('x') is [var wide, var high]
                    && int.TryParse(wide, CultureInfo.InvariantCulture, out var width)
                    && int.TryParse(high, CultureInfo.InvariantCulture, out var height)
                    && width > 0
                    && height > 0:
                Size = (width, height);
                return true;
            default:
                return false;
        }
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
            Shift = shape.Defaults.Shift,
            GuidanceScale = shape.Defaults.GuidanceScale,
            HighNoiseGuidanceScale = shape.Defaults.HighNoiseGuidanceScale,
            Seed = Seed,
            StepCache = new StepCacheChoice(StepCacheKind.Magcache),
        };
        var slot =
            Device == "cpu"
                ? SlotState.Cpu(64L << 30)
                : SlotState.Gpu(0) with
                {
                    TotalBytes = CudaDevice.Memory.Total,
                    FreeBytes = CudaDevice.Memory.Free,
                };
        var result = Planner.Plan(PlanRequest.Of(shape, spec, Pictures.Count > 0), slot); // With room for what a cache keeps
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
