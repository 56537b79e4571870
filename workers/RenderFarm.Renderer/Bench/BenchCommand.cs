using System.Globalization;
using RenderFarm.Cuda;
using TorchSharp;

namespace RenderFarm.Renderer.Bench;

/// <summary><c>bench gpu --part PART [--json]</c>.</summary>
internal static class BenchCommand
{
    private static readonly Dictionary<string, Action<BenchReport>> Parts = new(StringComparer.Ordinal)
    {
        ["selftest"] = SelfTest.Run,
        ["speed"] = SpeedPart.Run,
        ["attention"] = AttentionPart.Run,
        ["memory"] = MemoryPart.Run,
        ["profile"] = ProfilePart.Run,
        ["quality"] = QualityPart.Run,
        ["predict"] = PredictPart.Run,
        ["predict-fp8"] = PredictPart.RunFloat8,
        ["parity"] = ParityPart.Run,
        ["vae"] = VaePart.Run,
        ["job480"] = JobPart.Run480,
        ["job720"] = JobPart.Run720,
    };

    private static string Usage =>
        $"bench gpu --part {string.Join('|', Parts.Keys)} [--json]\n{FreshProcesses.Usage}\n{StepCachePart.Usage}";

    public static int Run(string[] args)
    {
        if (args is ["renderers", .. var fresh])
        {
            return FreshProcesses.Run(fresh);
        }

        if (args is ["step-cache", .. var cached])
        {
            return StepCachePart.Run(cached);
        }

        if (args is ["occupy", "--leave", var bytes] && long.TryParse(bytes, CultureInfo.InvariantCulture, out var leave))
        {
            return Occupant.Occupy(leave);
        }

        if (args is not ["gpu", "--part", var part, .. var rest] || rest is not ([] or ["--json"]) || !Parts.TryGetValue(part, out var run))
        {
            return ExitCodes.Usage(Usage);
        }

        if (!torch.cuda.is_available() || CudaDevice.Count == 0)
        {
            return ExitCodes.Usage(
                "bench gpu needs an NVIDIA card, its driver and a libtorch built for CUDA (LD_LIBRARY_PATH on an existing PyTorch's lib "
                    + "folders)"
            );
        }

        using var noGradients = torch.no_grad();
        torch.backends.cuda.matmul.allow_tf32 = false;
        torch.backends.cudnn.allow_tf32 = false;
        var report = new BenchReport(part, json: rest is ["--json"]);
        run(report);
        report.Finish();
        return report.Missed == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }
}
