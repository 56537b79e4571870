using RenderFarm.Cuda;
using RenderFarm.Verbs.Bench;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary><c>bench gpu --part PART</c>: the parts by name.</summary>
internal static class GpuBench
{
    /// <param name="part">One of <see cref="GpuVerb.Parts"/>.</param>
    /// <param name="cases">Which cases of a part that has many: the first, counted from 1, and how many.</param>
    /// <param name="report">Where its figures go.</param>
    public static int Run(string part, (int From, int? Count) cases, FigureReport report)
    {
        if (part == "selftest")
        {
            return RendererProgram.SelfTest(report);
        }
        if (!torch.cuda.is_available() || CudaDevice.Count == 0)
        {
            throw VerbException.Wrong(
                "bench gpu needs an NVIDIA card, its driver and a libtorch built for CUDA "
                    + "(RENDERFARM_LIBTORCH=cuda ./farm build, or TORCH_LIB with the folder torch/lib of an installed PyTorch)"
            );
        }
        using var noGradients = torch.no_grad();
        torch.backends.cuda.matmul.allow_tf32 = false;
        torch.backends.cudnn.allow_tf32 = false;
        Describe(report);
        PartOf(part, cases)(report);
        return report.Finish();
    }

    private static Action<FigureReport> PartOf(string part, (int From, int? Count) cases) =>
        part switch
        {
            "speed" => SpeedPart.Run,
            "attention" => AttentionPart.Run,
            "memory" => MemoryPart.Run,
            "profile" => ProfilePart.Run,
            "quality" => QualityPart.Run,
            "predict" => found => PredictPart.Run(found, cases),
            "predict-fp8" => found => PredictPart.RunFloat8(found, cases),
            "parity" => ParityPart.Run,
            "vae" => VaePart.Run,
            "long" => LongPart.Run,
            "ways" => WaysPart.Run,
            "job480" => JobPart.Run480,
            "job720" => JobPart.Run720,
            _ => throw VerbException.Wrong($"--part is '{part}': it must be one of {string.Join(", ", GpuVerb.Parts)}"),
        };

    private static void Describe(FigureReport report)
    {
        var (major, minor) = CudaDevice.ComputeCapability;
        report.Machine["compute_capability"] = $"{major}.{minor}";
        report.Machine["cuda_driver"] = CudaDevice.DriverVersion;
        report.Machine["total_bytes"] = CudaDevice.Memory.Total;
        report.Machine["torchsharp"] = typeof(torch).Assembly.GetName().Version?.ToString();
    }
}
