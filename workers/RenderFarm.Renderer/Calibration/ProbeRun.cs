using System.Text.Json;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Cuda.Native;
using RenderFarm.Hosting.Torch;
using RenderFarm.Inference.Kernels;
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
        try
        {
            LibTorchLoader.Load();
            var probe = Look(device);
            LibTorchLoader.RequireOne();
            return probe;
        }
        catch (LibTorchException fault)
        {
            return new DeviceProbe
            {
                Subject = new CalibrationSubject(device, null, null, "none", CalibrationFiles.Version),
                Fault = fault.Message,
            };
        }
    }

    private static DeviceProbe Look(string device)
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
                Fault = LibTorchLoader.Chosen is { HasCuda: true }
                    ? $"libtorch {LibTorchLoader.Describe()} sees no card: the driver may be too old for it"
                    : $"libtorch {LibTorchLoader.Describe()} is built for the CPU and sees no card",
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
                Ways = PlatformWays.Try(),
            };
        }
        catch (Exception fault) when (fault is DllNotFoundException or InvalidDataException or CudaException { IsOutOfMemory: false })
        {
            return new DeviceProbe { Subject = subject, Fault = $"the farm's kernels don't run on this card: {fault.Message}" };
        }
    }
}
