using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Hosting.Folders;
using RenderFarm.Nvml;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Renderer.Calibration;

/// <summary><c>calibrate</c>: measures the rates that plans are timed with and keeps them where the worker of this host looks.</summary>
internal static class CalibrationRun
{
    /// <param name="asked"><c>cpu</c> or <c>cuda</c>; null takes the card where there is one.</param>
    /// <param name="into">Null: the farm's home.</param>
    /// <param name="json">For programs.</param>
    public static int Run(string? asked, string? into, bool json)
    {
        var hasCard = torch.cuda.is_available() && CudaDevice.Count > 0;
        var device = asked ?? (hasCard ? "cuda" : "cpu");
        if (device == "cuda" && !hasCard)
        {
            throw VerbException.Wrong("--device is 'cuda': there is no NVIDIA card, no driver, or a libtorch without CUDA");
        }

        using var noGradients = torch.no_grad();
        torch.backends.cuda.matmul.allow_tf32 = false;
        var version = CalibrationFiles.Version;
        var measured =
            device == "cpu"
                ? ProcessorRates.Measure(
                    CardCalibration.KeyOf(CardCalibration.Processor(Environment.ProcessorCount), driver: null, version)
                )
                : Card(version);
        var path = CalibrationFiles.Write(into ?? FarmHome.FromEnvironment().Calibration, measured);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(measured, ContractsJson.Default.CardCalibration));
        }
        else
        {
            Tell(measured, path);
        }

        return VerbProgram.Done;
    }

    private static CardCalibration Card(string version)
    {
        using var driver =
            NvmlLibrary.TryOpen(out var reason)
            ?? throw new InvalidOperationException($"the driver can't be asked which card this is: {reason}");
        var visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "";
        var card = driver.Cards.FirstOrDefault(one => one.Uuid == visible) ?? driver.Cards[0];
        return new CardRates(new KernelCompiler(KernelFolder.Path)).Measure(
            CardCalibration.KeyOf(card.Name, driver.DriverVersion, version),
            Console.Error.WriteLine
        );
    }

    private static void Tell(CardCalibration measured, string path)
    {
        Console.Out.WriteLine(measured.Key);
        Line("fp8 products", measured.Fp8Flops / 1e12, "TFLOP/s");
        Line("bf16 products", measured.Bf16Flops / 1e12, "TFLOP/s");
        Line("float32 products", measured.Fp32Flops / 1e12, "TFLOP/s");
        Line("attention", measured.AttentionFlops / 1e12, "TFLOP/s");
        Line("eight-bit attention", measured.EightBitAttentionFlops / 1e12, "TFLOP/s");
        Line("host to device", measured.HostToDeviceBytesPerSecond / 1e9, "GB/s");
        Line("memory", measured.MemoryBytesPerSecond / 1e9, "GB/s");
        Console.Out.WriteLine($"kept in {path}");
    }

    private static void Line(string name, double? value, string unit)
    {
        if (value is { } rate)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-20} {rate,10:0.###} {unit}"));
        }
    }
}
