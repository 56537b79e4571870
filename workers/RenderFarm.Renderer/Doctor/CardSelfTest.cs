using RenderFarm.Inference.SelfTests;
using RenderFarm.Nvml;

namespace RenderFarm.Renderer.Doctor;

/// <summary>What findings about the card's kernels belong to.</summary>
internal static class CardSelfTest
{
    /// <summary>Null where the driver can't say which card this is.</summary>
    public static SelfTestKey? Key()
    {
        using var driver = NvmlLibrary.TryOpen(out _);
        if (driver is null)
        {
            return null;
        }

        var visible = Environment.GetEnvironmentVariable("CUDA_VISIBLE_DEVICES") ?? "";
        var card = driver.Cards.FirstOrDefault(one => one.Uuid == visible) ?? driver.Cards[0];
        return new SelfTestKey(card.Name, driver.DriverVersion, LibTorchBuild.Name, SelfTestKey.Build);
    }
}
