using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Renderer.Tests;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools.Tests.Bench.StepCaches;

/// <summary>What step caches save and cost, as anybody can measure it on a model of theirs.</summary>
public sealed class StepCacheBenchTests
{
    [Fact]
    public async Task StepCache_OnAModel_MeasuresErrorsThatGrowWithWhatIsLeftOut()
    {
        using var model = new RandomTinyModel();

        var (code, output) = await RunAsync(model.Folder, "--as", "t2v-1-3b", "--steps", "20", "--size", "32x32", "--json");

        Assert.True(code == 0, output);
        var runs = JsonDocument.Parse(output).RootElement.GetProperty("details").GetProperty("runs").EnumerateArray().ToList();
        Assert.Equal(
            ["teacache", "teacache", "teacache", "magcache", "magcache", "magcache"],
            runs.Select(run => run.GetProperty("kind").GetString())
        );
        Assert.Equal(
            [0.07, 0.12],
            runs.Where(run => run.GetProperty("published").GetBoolean()).Select(run => run.GetProperty("threshold").GetDouble())
        );
        foreach (var kind in runs.GroupBy(run => run.GetProperty("kind").GetString()))
        {
            var leftOut = kind.Select(run => run.GetProperty("forwards_left_out").GetInt32()).ToList();
            Assert.Equal(leftOut.Order(), leftOut);
            Assert.All(
                kind,
                run => Assert.Equal(run.GetProperty("forwards_left_out").GetInt32() == 0, run.GetProperty("error").GetDouble() == 0)
            );
        }
        var published = runs[4];
        Assert.Equal(40, published.GetProperty("forwards").GetInt32());
        Assert.InRange(published.GetProperty("forwards_left_out").GetInt32(), 10, 32); // A fifth always runs
        Assert.InRange(published.GetProperty("error").GetDouble(), 1e-4, 0.1);
    }

    [Fact]
    public async Task StepCache_NothingPublished_SaysWhoseFiguresThereAre()
    {
        using var model = new RandomTinyModel();

        var (code, output) = await RunAsync(model.Folder);

        Assert.Equal(VerbProgram.Wrong, code);
        Assert.Contains("t2v-1-3b", output, StringComparison.Ordinal);
        Assert.Contains("--as", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/tmp", "--steps", "0")]
    [InlineData("/tmp", "--size", "32")]
    [InlineData("/tmp", "--threshold", "1")]
    [InlineData("--json")]
    public async Task StepCache_WrongArguments_SaysSo(params string[] arguments) =>
        Assert.Equal(VerbProgram.Wrong, (await RunAsync(arguments)).Code);

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(
            new ProcessStartInfo(ToolsProgram.File, ["bench", "step-cache", .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await errors);
    }
}
