using RenderFarm.Planning.Cards;

namespace RenderFarm.Planning.Tests;

public sealed class NamesTests
{
    [Theory]
    [InlineData(0.0123, "12.3 ms")]
    [InlineData(3.24, "3.2 s")]
    [InlineData(725, "12 min 5 s")]
    [InlineData(12_000, "3 h 20 min")]
    public void Seconds_AnyLength_ReadsNaturally(double seconds, string expected) => Assert.Equal(expected, Names.Seconds(seconds));

    [Theory]
    [InlineData("NVIDIA H100 80GB HBM3", "estimate:H100")]
    [InlineData("NVIDIA H100 PCIe", "estimate:H100 PCIe")]
    [InlineData("NVIDIA L40S", "estimate:L40S")]
    [InlineData("NVIDIA L4", "estimate:L4")]
    [InlineData("NVIDIA A100-SXM4-80GB", "estimate:A100")]
    [InlineData("NVIDIA GeForce RTX 4070 Ti SUPER", "estimate:RTX 4070 Ti SUPER")]
    public void Find_CardName_PicksItsOwnRow(string card, string key) => Assert.Equal(key, KnownCards.Find(card)!.Key);

    [Fact]
    public void Find_UnknownCard_IsNull() => Assert.Null(KnownCards.Find("Matrox Millennium"));
}
