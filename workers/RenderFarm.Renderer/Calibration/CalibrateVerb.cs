using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Nvml;
using RenderFarm.Renderer.Bench;
using TorchSharp;

namespace RenderFarm.Renderer.Calibration;

/// <summary>
/// <c>bench calibrate [--device cpu|cuda] [--into DIR] [--json]</c>: measures the rates that plans are timed with and keeps
/// them in <c>DIR</c> (the farm's home when not given), where the worker of this host looks for them.
/// </summary>
internal static class CalibrateVerb
{
    private const string Usage = "bench calibrate [--device cpu|cuda] [--into DIR] [--json]";

    public static int Run(string[] args)
    {
        var (device, folder, json) = (
            torch.cuda.is_available() && CudaDevice.Count > 0 ? "cuda" : "cpu",
            CalibrationFiles.DefaultFolder,
            false
        );
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--device" && i + 1 < args.Length && args[i + 1] is "cpu" or "cuda")
            {
                device = args[++i];
            }
            else if (args[i] == "--into" && i + 1 < args.Length)
            {
                folder = args[++i];
            }
            else if (args[i] == "--json")
            {
                json = true;
            }
            else
            {
                return ExitCodes.Usage($"'{args[i]}' is not understood\n{Usage}");
            }
        }
        if (device == "cuda" && (!torch.cuda.is_available() || CudaDevice.Count == 0))
        {
            return ExitCodes.Usage("--device cuda: no NVIDIA card, no driver, or a libtorch without CUDA");
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
        var path = CalibrationFiles.Write(folder, measured);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(measured, ContractsJson.Default.CardCalibration));
        }
        else
        {
            Tell(measured, path);
        }

        return ExitCodes.Done;
    }

    private static CardCalibration Card(string version)
    {
        using var driver =
            NvmlLibrary.TryOpen(out var reason)
            ?? throw new InvalidOperationException($"the driver can't be asked which card this is: {reason}");
        var visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "";
        var card = driver.Cards.FirstOrDefault(one => one.Uuid == visible) ?? driver.Cards[0];
        return new CardRates(new KernelCompiler(BenchPaths.Kernels)).Measure(
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
