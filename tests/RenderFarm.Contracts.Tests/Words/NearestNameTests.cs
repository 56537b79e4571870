using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Tests.Words;

public sealed class NearestNameTests
{
    private static readonly string[] Known = ["prompt", "seed", "steps", "guidance_scale", "negative_prompt"];

    [Theory]
    [InlineData("promt", "prompt")]
    [InlineData("guidance", "guidance_scale")]
    [InlineData("negativeprompt", "negative_prompt")]
    [InlineData("step", "steps")]
    public void To_AMisspelling_FindsWhatWasMeant(string typed, string meant) => Assert.Equal(meant, NearestName.To(typed, Known));

    [Fact]
    public void To_SomethingFar_FindsNothing() => Assert.Null(NearestName.To("completely_unrelated_thing", Known));

    [Fact]
    public void To_AHostileLength_IsCutAndFindsNothing() => Assert.Null(NearestName.To(new string('x', 1_000_000), Known));
}
