using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Cuda.Native;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.SelfTests;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Renderer.Calibration;

/// <summary>
/// <c>probe</c>: what a worker has to know of a device before it plans for it, in some two seconds: which device and libtorch these are,
/// and whether what computes in eight bits is right there. Keeps nothing.
/// </summary>
internal static class ProbeRun
{
    /// <param name="device"><c>cpu</c> or <c>cuda</c>.</param>
    public static int Run(string device)
    {
        Console.Out.WriteLine(JsonSerializer.Serialize(Probe(device), ContractsJson.Default.DeviceProbe));
        return VerbProgram.Done;
    }

    private static DeviceProbe Probe(string device)
    {
        if (device == "cpu")
        {
            using (torch.zeros(1)) { }
            return new DeviceProbe { Subject = DeviceSubject.OfProcessor() };
        }

        if (!torch.cuda.is_available() || CudaDevice.Count == 0)
        {
            return new DeviceProbe
            {
                Subject = DeviceSubject.OfProcessor(),
                Fault = $"libtorch {LibTorchBuild.Name} sees no card: a build for the CPU, or a driver that is too old for it",
            };
        }

        using var noGradients = torch.no_grad();
        torch.backends.cuda.matmul.allow_tf32 = false;
        using (torch.zeros(1, device: torch.CUDA)) { }
        var subject = DeviceSubject.OfCard();
        try
        {
            using var kernels = new TokenKernels(new KernelCompiler(KernelFolder.Path));
            return new DeviceProbe
            {
                Subject = subject,
                Fp8Fault = Float8Check.WhyNot(kernels),
                Int8Fault = Int8ProductCheck.WhyNot(kernels),
                EightBitAttentionFault = EightBitAttentionCheck.WhyNot(kernels),
            };
        }
        catch (Exception fault) when (fault is DllNotFoundException or CudaException { IsOutOfMemory: false })
        {
            return new DeviceProbe { Subject = subject, Fault = $"the farm's kernels don't run on this card: {fault.Message}" };
        }
    }
}
