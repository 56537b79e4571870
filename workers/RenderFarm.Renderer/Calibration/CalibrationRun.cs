using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Hosting.Folders;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Renderer.Calibration;

/// <summary>
/// <c>calibrate</c>: measures the rates that plans are timed with and keeps them where the worker of this host looks. Killed at any
/// moment it goes on where it was the next time.
/// </summary>
internal static class CalibrationRun
{
    /// <param name="asked"><c>cpu</c> or <c>cuda</c>; null takes the card where there is one.</param>
    /// <param name="into">Null: the farm's home.</param>
    /// <param name="json">For programs.</param>
    public static int Run(string? asked, string? into, bool json)
    {
        if (LibTorchLoader.WhyNot is { } reason)
        {
            throw new VerbException(reason);
        }

        var hasCard = torch.cuda.is_available() && CudaDevice.Count > 0;
        var device = asked ?? (hasCard ? "cuda" : "cpu");
        if (device == "cuda" && !hasCard)
        {
            throw VerbException.Wrong("--device is 'cuda': there is no NVIDIA card, no driver, or a libtorch without CUDA");
        }

        using var noGradients = torch.no_grad();
        torch.backends.cuda.matmul.allow_tf32 = false;
        var folder = into ?? FarmHome.FromEnvironment().Calibration;
        CalibrationRecord measured;
        if (device == "cpu")
        {
            measured = Measure(folder, DeviceSubject.OfProcessor(), ProcessorRates.Pieces);
        }
        else
        {
            using var rates = new CardRates(new KernelCompiler(KernelFolder.Path), Console.Error.WriteLine);
            measured = Measure(folder, DeviceSubject.OfCard(), rates.Pieces);
        }

        var path = CalibrationFiles.Write(folder, measured);
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(measured.Rates, ContractsJson.Default.CardCalibration));
        }
        else
        {
            Tell(measured.Rates, path);
        }

        return VerbProgram.Done;
    }

    /// <summary>The pieces that are not measured yet, each kept as soon as it is.</summary>
    internal static CalibrationRecord Measure(string folder, CalibrationSubject subject, IEnumerable<RatePiece> pieces)
    {
        var record = CalibrationFiles.FindUnfinished(folder, subject) ?? CalibrationRecord.Begin(subject);
        foreach (var piece in pieces.Where(piece => !record.Measured.Contains(piece.Name)))
        {
            record = record with { Rates = piece.Measure(record.Rates), Measured = [.. record.Measured, piece.Name] };
            CalibrationFiles.WriteUnfinished(folder, record);
        }

        return record;
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
