using RenderFarm.Cuda;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.SelfTests;
using RenderFarm.Renderer.Kernels;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Renderer.Doctor;

/// <summary>
/// <c>selftest</c>: everything that this host's devices could get wrong, tried now: the processor's arithmetic against float64, and every
/// kernel against the plain tensors that define it where there is a card. What is found is kept, and read by renders and the doctor.
/// </summary>
internal static class SelfTestVerb
{
    /// <returns>The exit code: 1 where something is off in every way that it can be done.</returns>
    public static int Run(FigureReport report)
    {
        if (LibTorchLoader.WhyNot is { } reason)
        {
            throw new VerbException(reason);
        }

        var folder = SelfTestFolder.OfThisUser();
        var processor = ProcessorArithmetic.Judge(folder);
        report.Say($"processor: {processor.Key.Device}");
        report.Say($"libtorch: {processor.Key.LibTorch}");
        foreach (var finding in processor.Findings)
        {
            report.Check(finding.Case, finding.Right, finding.Detail);
        }

        if (!torch.cuda.is_available() || CudaDevice.Count == 0)
        {
            report.Say("no kernels are tried: there is no NVIDIA card, no driver, or a libtorch without CUDA");
            return report.Finish();
        }

        KernelSelfTest.Run(report);
        if (CardSelfTest.Key() is { } key)
        {
            var kernels = report.Checks.Skip(processor.Findings.Count);
            folder.Keep(new SelfTestRecord(key, [.. kernels.Select(check => new CaseFinding(check.Name, check.Holds, check.Detail))]));
        }

        return report.Finish();
    }
}
