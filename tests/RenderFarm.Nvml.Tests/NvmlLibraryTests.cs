using System.Runtime.InteropServices;

namespace RenderFarm.Nvml.Tests;

public sealed class NvmlLibraryTests
{
    [Fact]
    public void TryOpen_HostWithoutDriver_SaysSoAndHasNoCards()
    {
        bool driver = NativeLibrary.TryLoad("libnvidia-ml.so.1", out _);
        Assert.SkipWhen(driver, "this host has a driver");

        Assert.Null(NvmlLibrary.TryOpen(out string reason));
        Assert.Contains("libnvidia-ml.so.1", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void TryOpen_HostWithCards_ListsThemWithTheirMemory()
    {
        using NvmlLibrary? library = NvmlLibrary.TryOpen(out string reason);
        Assert.SkipWhen(library is null, "no card here: " + reason);

        Assert.NotEmpty(library.DriverVersion);
        Assert.All(library.Cards, card =>
        {
            Assert.StartsWith("GPU-", card.Uuid, StringComparison.Ordinal);
            Assert.NotEmpty(card.Name);
            CardMemory memory = library.MemoryOf(card);
            Assert.Equal(card.TotalBytes, memory.TotalBytes);
            Assert.InRange(memory.FreeBytes, 0, memory.TotalBytes);
        });
    }
}
