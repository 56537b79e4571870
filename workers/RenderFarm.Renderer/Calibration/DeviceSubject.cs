using System.Globalization;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Plans;
using RenderFarm.Inference.SelfTests;
using RenderFarm.Nvml;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>Which device this process computes on, as far as measured rates depend on it. Call when libtorch is loaded.</summary>
internal static class DeviceSubject
{
    public static CalibrationSubject OfProcessor() =>
        new(
            string.Create(CultureInfo.InvariantCulture, $"{ProcessorName.Short} x {get_num_threads()}"),
            null,
            null,
            LibTorchBuild.Name,
            CalibrationFiles.Version
        );

    /// <exception cref="InvalidOperationException">The driver can't be asked.</exception>
    public static CalibrationSubject OfCard()
    {
        using var driver =
            NvmlLibrary.TryOpen(out var reason)
            ?? throw new InvalidOperationException($"the driver can't be asked which card this is: {reason}");
        var visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "";
        var card = driver.Cards.FirstOrDefault(one => one.Uuid == visible) ?? driver.Cards[0];
        return new CalibrationSubject(card.Name, card.Uuid, driver.DriverVersion, LibTorchBuild.Name, CalibrationFiles.Version);
    }
}
