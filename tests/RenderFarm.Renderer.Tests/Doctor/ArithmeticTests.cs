using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Testing;

namespace RenderFarm.Renderer.Tests.Doctor;

/// <summary>
/// A processor that gets something wrong, as far as <c>RENDERFARM_ARITHMETIC_FAULT</c> makes this one such: renders are right all the
/// same, and everybody who asks is told.
/// </summary>
public sealed class ArithmeticTests(RandomTinyModel model) : IClassFixture<RandomTinyModel>, IDisposable
{
    private const string Conv2d = "conv2d/direct";
    private readonly TemporaryFolder _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Render_Conv2dWrong_RendersTheSameFramesInAnotherWayAndSaysSo()
    {
        var (sound, quiet) = await RenderAsync(fault: "");
        var (frames, errors) = await RenderAsync(Conv2d);

        Assert.Empty(quiet);
        Assert.Contains("conv2d direct is off by 1.0e-1", errors, StringComparison.Ordinal);
        Assert.Contains("it is done as conv3d", errors, StringComparison.Ordinal);
        Assert.Equal(sound.Length, frames.Length);
        Assert.True(LargestDifference(sound, frames) <= 1, $"differs by {LargestDifference(sound, frames)} levels");
    }

    /// <summary>The other processes of this user read what the first found: there is one file for each kind of processor.</summary>
    [Fact]
    public async Task Render_Twice_JudgesOnce()
    {
        await RenderAsync(Conv2d);
        var kept = Assert.Single(Directory.EnumerateFiles(Kept));
        var written = File.GetLastWriteTimeUtc(kept);

        var (_, errors) = await RenderAsync(Conv2d);

        Assert.Contains("it is done as conv3d", errors, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Assert.Single(Directory.EnumerateFiles(Kept))));
    }

    [Fact]
    public async Task Render_NoWayRight_FailsAsTheHostsFaultAndNamesTheOperation()
    {
        using var folder = new TemporaryFolder();
        using var renderer = Start("attention/direct,attention/in float64", "render");
        renderer.Send(model.Order(RendererProcess.MakePipe(folder)));

        var failed = await renderer.UntilAsync<RendererReport.Failed>();

        Assert.Equal(Contracts.Leases.FailureReason.Transient, failed.Reason);
        Assert.Contains("attention direct is off", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_Conv2dWrong_SaysHowItIsDoneInstead()
    {
        var sound = Assert.Single(await DoctorAsync(""), check => check.Subject == "arithmetic");
        Assert.Equal(HostCheckResult.Ok, sound.Result);
        Assert.Contains("agree with float64", sound.Finding, StringComparison.Ordinal);

        var faulty = Assert.Single(await DoctorAsync(Conv2d), check => check.Subject == "arithmetic");
        Assert.Equal(HostCheckResult.Without, faulty.Result);
        Assert.Contains("it is done as conv3d", faulty.Finding, StringComparison.Ordinal);

        var hopeless = Assert.Single(await DoctorAsync("linear/direct,linear/in float64"), check => check.Subject == "arithmetic");
        Assert.Equal(HostCheckResult.Lacks, hopeless.Result);
        Assert.False(Directory.Exists(Kept), "a doctor changes nothing");
    }

    [Theory]
    [InlineData("", 0, "conv2d is off by ")]
    [InlineData(Conv2d, 0, "it is done as conv3d")]
    [InlineData("linear/direct,linear/in float64", 1, "no way is right")]
    public async Task SelfTest_Json_HasACaseForEveryOperation(string fault, int code, string said)
    {
        using var selfTest = Start(fault, "selftest", "--json");
        var text = await selfTest.OutputAsync();
        using var report = JsonDocument.Parse(text.Output);

        Assert.Equal(code, text.ExitCode);
        Assert.Equal(7, report.RootElement.GetProperty("checks").GetArrayLength());
        Assert.Contains(said, text.Output, StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFiles(Kept));
    }

    private string Kept => Path.Combine(_home.Path, ".cache", "renderfarm", "selftest");

    private RendererProcess Start(string fault, params string[] arguments) =>
        new(new Dictionary<string, string> { ["HOME"] = _home.Path, ["RENDERFARM_ARITHMETIC_FAULT"] = fault }, arguments);

    private async Task<HostCheck[]> DoctorAsync(string fault)
    {
        using var doctor = Start(fault, "doctor", "--json");
        return JsonSerializer.Deserialize((await doctor.OutputAsync()).Output, ContractsJson.Default.HostCheckArray)!;
    }

    private async Task<(byte[] Frames, string Errors)> RenderAsync(string fault)
    {
        using var folder = new TemporaryFolder();
        var pipe = RendererProcess.MakePipe(folder);
        using var renderer = Start(fault, "render");
        renderer.Send(model.Order(pipe));
        var reading = Task.Run(() => File.ReadAllBytes(pipe), TestContext.Current.CancellationToken);
        await renderer.UntilAsync<RendererReport.Finished>();
        await renderer.ToEndAsync();
        return (await reading, await renderer.ErrorsAsync());
    }

    private static int LargestDifference(byte[] a, byte[] b) => a.Zip(b, (one, other) => Math.Abs(one - other)).Max();
}
