using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Tests;

public sealed class TwentyFaults
{
    /// <summary>Every kind of fault at least once, overlapping, on a farm of real processes.</summary>
    [Fact]
    public async Task Run_EveryKindOfFault_BreaksNoRule()
    {
        Assert.NotEmpty(TestServices.Postgres); // Skips where ./farm test is not at work: this starts servers of its own
        using var home = new TemporaryFolder();
        await using var run = FarmProcess.Start(
            "chaos",
            BuiltPrograms.Chaos,
            ["--faults", "20", "--seed", "20", "--home", home.File("farm")],
            new Dictionary<string, string>(),
            home.File("chaos.log")
        );

        var code = await run.ExitAsync(TimeSpan.FromMinutes(8));

        Assert.True(code == 0, run.LastWords(120));
    }
}
