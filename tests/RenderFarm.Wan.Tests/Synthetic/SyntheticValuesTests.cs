namespace RenderFarm.Wan.Tests.Synthetic;

public sealed class SyntheticValuesTests
{
    [Fact]
    public void Of_KnownNames_GivesTheRecordedValues()
    {
        Assert.Equal(
            [-0.206106754, 0.940643177, -0.601752935, -0.800234735],
            SyntheticValues.Of("patch_embedding.weight", 4).Select(u => Math.Round(u, 9))
        );
        Assert.Equal([0.819714438, 0.160153587, 0.124433614], SyntheticValues.Of("input:x", 3).Select(u => Math.Round(u, 9)));
    }
}
