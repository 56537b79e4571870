using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests.Cards;

/// <summary>Which row a name means, and what is assumed of a card that was never measured.</summary>
public sealed class KnownCardsTests
{
    /// <summary>Names as drivers give them, and as people type them.</summary>
    [Theory]
    [InlineData("NVIDIA H100 80GB HBM3", "H100")]
    [InlineData("NVIDIA H100 PCIe", "H100 PCIe")]
    [InlineData("NVIDIA H100 NVL", "H100 NVL")]
    [InlineData("NVIDIA H200", "H200")]
    [InlineData("NVIDIA H20", "H20")]
    [InlineData("NVIDIA GH200 480GB", "GH200")]
    [InlineData("NVIDIA L40S", "L40S")]
    [InlineData("NVIDIA L4", "L4")]
    [InlineData("NVIDIA A100-SXM4-40GB", "A100")]
    [InlineData("NVIDIA A100-SXM4-80GB", "A100 80GB")]
    [InlineData("NVIDIA A100 80GB PCIe", "A100 80GB")]
    [InlineData("NVIDIA A10G", "A10G")]
    [InlineData("NVIDIA RTX A6000", "RTX A6000")]
    [InlineData("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada")]
    [InlineData("NVIDIA RTX 4000 SFF Ada Generation", "RTX 4000 SFF Ada")]
    [InlineData("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTX PRO 6000 Blackwell")]
    [InlineData("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTX PRO 6000 Blackwell Max-Q")]
    [InlineData("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000 Blackwell Server")]
    [InlineData("NVIDIA GeForce RTX 4070", "RTX 4070")]
    [InlineData("NVIDIA GeForce RTX 4070 Ti", "RTX 4070 Ti")]
    [InlineData("NVIDIA GeForce RTX 4070 Ti SUPER", "RTX 4070 Ti SUPER")]
    [InlineData("NVIDIA GeForce RTX 4090 D", "RTX 4090 D")]
    [InlineData("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090 Laptop GPU")]
    [InlineData("Tesla T4", "T4")]
    [InlineData("Quadro RTX 6000", "Quadro RTX 6000")]
    [InlineData("4090", "RTX 4090")]
    [InlineData("rtx4070 ti", "RTX 4070 Ti")]
    [InlineData("RTX 4090 24GB", "RTX 4090")]
    public void Find_Name_PicksItsOwnRow(string card, string row) => Assert.Equal(row, CardSheets.Find(card)!.Name);

    [Theory]
    [InlineData("Matrox Millennium")]
    [InlineData("NVIDIA GeForce RTX 4070 Ti MAX")]
    [InlineData("NVIDIA RTX 6000")]
    [InlineData("NVIDIA L4000")]
    [InlineData("NVIDIA")]
    [InlineData("")]
    public void Find_NameOfNoRow_IsNull(string card)
    {
        Assert.Null(CardSheets.Find(card));
        Assert.Null(KnownCards.Find(card));
    }

    [Fact]
    public void Sheets_HaveWhatTheirUnitsHave()
    {
        Assert.All(
            CardSheets.All,
            sheet =>
            {
                var (ampere, ada) = (sheet.Capability >= new Version(8, 0), sheet.Capability >= new Version(8, 9));
                Assert.Equal(ampere, sheet.Bf16 is not null);
                Assert.Equal(ampere, sheet.Int8 is not null);
                Assert.Equal(ada, sheet.Fp8 is not null);
                // The units do two eight-bit products for one of sixteen bits; rounding of sheets aside
                Assert.InRange((sheet.Fp8 / sheet.Bf16) ?? 2, 1.95, 2.05);
                Assert.True(sheet.Gibibytes > 0 && sheet.Bandwidth > 0 && sheet.Bus > 0);
                Assert.NotEmpty(sheet.Source);
                Assert.Equal(sheet, CardSheets.Find(sheet.Name));
            }
        );
        Assert.Equal([7, 8, 9, 10, 12], CardSheets.All.Select(sheet => sheet.Capability.Major).Distinct().Order());
    }

    /// <summary>The cards that were measured: estimates are within a tenth of what they reached.</summary>
    [Theory]
    [InlineData("H100", 746.2, 1435.7, 527.2, null, 52.7, 2958)]
    [InlineData("H200", 766.5, 1519.0, 538.4, 833.2, 55.4, 4138)]
    public void Find_MeasuredCard_IsNearWhatItReached(
        string card,
        double bf16,
        double fp8,
        double attention,
        double? eightBit,
        double bus,
        double memory
    )
    {
        var rates = KnownCards.Find(card)!;
        Assert.InRange(rates.Bf16Flops!.Value / 1e12 / bf16, 0.9, 1.1);
        Assert.InRange(rates.Fp8Flops!.Value / 1e12 / fp8, 0.9, 1.1);
        Assert.InRange(rates.AttentionFlops!.Value / 1e12 / attention, 0.9, 1.1);
        Assert.InRange(rates.EightBitAttentionFlops!.Value / 1e12 / (eightBit ?? 831), 0.9, 1.1);
        Assert.InRange(rates.HostToDeviceBytesPerSecond!.Value / 1e9 / bus, 0.9, 1.1);
        Assert.InRange(rates.MemoryBytesPerSecond!.Value / 1e9 / memory, 0.9, 1.1);
    }

    [Theory]
    [InlineData("NVIDIA GeForce RTX 4095", null, "Ada", true)]
    [InlineData("NVIDIA GeForce RTX 3085 Ti", null, "Ampere", false)]
    [InlineData("NVIDIA Something New", "12.0", "Blackwell", true)]
    [InlineData("NVIDIA Something New", "13.0", "Blackwell", true)]
    [InlineData("NVIDIA Something New", "8.6", "Ampere", false)]
    [InlineData("NVIDIA Something New", null, "card of all", false)]
    public void Estimate_UnknownCard_IsBelowTheSlowestOfItsGeneration(string card, string? capability, string generation, bool fp8)
    {
        var rates = KnownCards.Estimate(card, capability is null ? null : Version.Parse(capability));
        Assert.Contains(generation, rates.Key, StringComparison.Ordinal);
        Assert.Equal(fp8, rates.Fp8Flops is not null);
        var others = CardSheets.All.Where(sheet => sheet.Bf16 is not null && (generation == "card of all" || IsOf(sheet, generation)));
        Assert.All(others.Select(sheet => KnownCards.Find(sheet.Name)!), known => Assert.True(IsSlower(rates, known), known.Key));
    }

    [Fact]
    public void Plan_UnknownCard_SaysWhatItWasTakenFor()
    {
        var plan = Planner.Plan(PlanRequest.DefaultOf(ModelShapes.T2v1Point3B), SlotState.Gpu(24, "NVIDIA GeForce RTX 4095")).Plan!;
        Assert.Contains(
            "Rates are estimated: the card is not in the table of known ones and is planned below the slowest of Ada.",
            plan.Reasons
        );
    }

    private static bool IsOf(CardSheet sheet, string generation) =>
        generation switch
        {
            "Ada" => sheet.Capability == new Version(8, 9),
            "Ampere" => sheet.Capability < new Version(8, 9),
            _ => sheet.Capability >= new Version(10, 0),
        };

    private static bool IsSlower(CardCalibration rates, CardCalibration known) =>
        rates.Bf16Flops < known.Bf16Flops
        && (rates.Fp8Flops ?? 0) <= (known.Fp8Flops ?? 0)
        && rates.AttentionFlops < known.AttentionFlops
        && rates.HostToDeviceBytesPerSecond < known.HostToDeviceBytesPerSecond
        && rates.MemoryBytesPerSecond < known.MemoryBytesPerSecond;
}
