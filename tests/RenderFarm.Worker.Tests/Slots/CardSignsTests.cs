using RenderFarm.Testing;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Tests.Slots;

public sealed class CardSignsTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Find_NothingThere_IsNull()
    {
        Plug("0000:00:02.0", "0x8086", "0x030000"); // A processor's own graphics
        Plug("0000:01:00.1", "0x10de", "0x040300"); // The sound of a card

        Assert.Null(CardSigns.Find(_root.Path));
    }

    [Fact]
    public void Find_DriversFile_NamesIt()
    {
        Directory.CreateDirectory(Path.Combine(_root.Path, "dev"));
        File.WriteAllText(Path.Combine(_root.Path, "dev/dxg"), "");

        Assert.Equal("/dev/dxg is there", CardSigns.Find(_root.Path));
    }

    [Theory]
    [InlineData("0x030000")]
    [InlineData("0x030200")]
    public void Find_PluggedInWithoutADriver_NamesThePlace(string kind)
    {
        Plug("0000:01:00.0", "0x10de", kind);

        Assert.Equal("an NVIDIA card is plugged in (0000:01:00.0)", CardSigns.Find(_root.Path));
    }

    private void Plug(string place, string maker, string kind)
    {
        var device = Directory.CreateDirectory(Path.Combine(_root.Path, "sys/bus/pci/devices", place)).FullName;
        File.WriteAllText(Path.Combine(device, "vendor"), maker + "\n");
        File.WriteAllText(Path.Combine(device, "class"), kind + "\n");
    }
}
