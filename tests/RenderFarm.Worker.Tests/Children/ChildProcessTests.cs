using RenderFarm.Testing;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Children;

public sealed class ChildProcessTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task KillGroup_ChildWithChildren_EndsThemAll()
    {
        var marker = _folder.File("marker");
        await File.WriteAllTextAsync(marker, "", TestContext.Current.CancellationToken);
        using var child = Start($"tail -f {marker} > /dev/null 2>&1 & tail -f {marker} > /dev/null 2>&1 & echo started; wait");
        Assert.Equal("started", await child.Output.ReadLineAsync(TestContext.Current.CancellationToken));

        child.KillGroup();

        Assert.Equal(128 + 9, await child.Exited.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await Eventually.TrueAsync(
            () => Task.FromResult(Processes.Under(marker).Count == 0),
            TimeSpan.FromSeconds(30),
            "the grandchildren to end",
            TestContext.Current.CancellationToken
        );
    }

    [Fact]
    public async Task Start_Child_IsItsOwnGroupAndSession()
    {
        using var child = Start("cut -d' ' -f5,6 /proc/$$/stat");

        Assert.Equal($"{child.Id} {child.Id}", await child.Output.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Start_WithAScore_IsTheFirstToGoWhenMemoryRunsOut()
    {
        using var child = ChildProcess.Start("sleep", ["60"], new Dictionary<string, string>(), "/", oomScore: 900);

        Assert.Equal("900", (await File.ReadAllTextAsync($"/proc/{child.Id}/oom_score_adj", TestContext.Current.CancellationToken)).Trim());
    }

    [Fact]
    public async Task Errors_MoreThanKept_HoldsTheEnd()
    {
        using var child = Start("for i in $(seq 20000); do echo line $i; done >&2");

        await child.Exited;
        await child.Errors.Ended;

        Assert.Equal("line 20000", child.Errors.LastLine);
        Assert.InRange(child.Errors.Text.Length, 10_000, 20_000);
    }

    [Fact]
    public void Start_NoSuchProgram_SaysWhich() =>
        Assert.Equal(
            "no-such-program",
            Assert
                .Throws<FileNotFoundException>(() => ChildProcess.Start("no-such-program", [], ChildEnvironment.Base(), _folder.Path))
                .FileName
        );

    public void Dispose() => _folder.Dispose();

    private ChildProcess Start(string script) => ChildProcess.Start("bash", ["-c", script], ChildEnvironment.Base(), _folder.Path);
}
