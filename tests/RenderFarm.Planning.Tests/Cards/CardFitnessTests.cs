using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests.Cards;

/// <summary>Cards that can't work are refused in words.</summary>
public sealed class CardFitnessTests
{
    [Theory]
    [InlineData("Tesla V100-SXM2-32GB", null, "compute capability 7.0")]
    [InlineData("Tesla T4", null, "compute capability 7.5")]
    [InlineData("NVIDIA GeForce RTX 2080 Ti", null, "compute capability 7.5")]
    [InlineData("NVIDIA GeForce GTX 1080 Ti", null, "older than Ampere")]
    [InlineData("NVIDIA GeForce GTX 1080 Ti", "6.1", "compute capability 6.1")]
    [InlineData("Quadro P6000", null, "older than Ampere")]
    [InlineData("NVIDIA Something", "7.5", "compute capability 7.5")]
    [InlineData("AMD Instinct MI300X", null, "not an NVIDIA card")]
    [InlineData("Radeon RX 7900 XTX", null, "not an NVIDIA card")]
    [InlineData("Intel Arc A770", null, "not an NVIDIA card")]
    public void WhyNot_CardThatCannotWork_SaysWhyAndWhatToDo(string card, string? capability, string why)
    {
        var words = CardFitness.WhyNot(card, capability is null ? null : Version.Parse(capability))!;
        Assert.StartsWith(card, words, StringComparison.Ordinal);
        Assert.Contains(why, words, StringComparison.Ordinal);
        Assert.Contains("Worker:Slots cpu", words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NVIDIA GeForce RTX 3060", null)]
    [InlineData("NVIDIA Something New", "12.0")]
    [InlineData("NVIDIA Something New", null)]
    [InlineData("", null)]
    public void WhyNot_Others_IsNull(string card, string? capability) =>
        Assert.Null(CardFitness.WhyNot(card, capability is null ? null : Version.Parse(capability)));

    [Fact]
    public void Plan_CardThatCannotWork_IsRefusedInTheSameWords()
    {
        var result = Planner.Plan(PlanRequest.DefaultOf(ModelShapes.T2v1Point3B), SlotState.Gpu(16, "Tesla T4"));
        Assert.Null(result.Plan);
        Assert.Equal(CardFitness.WhyNot("Tesla T4") + ".", result.Refusal!.Message);
        Assert.False(Planner.Fits(PlanRequest.DefaultOf(ModelShapes.T2v1Point3B), SlotState.Gpu(16, "Tesla T4")));
    }
}
