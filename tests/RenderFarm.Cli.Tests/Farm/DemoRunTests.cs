using RenderFarm.Cli.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class DemoRunTests : IDisposable
{
    private readonly TemporaryFolder _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public void Create_ManyOldRuns_KeepsTheLastFiveAndThoseThatRun()
    {
        var gone = int.MaxValue; // No process has this number
        var live = Run($"20200101-000000-{Environment.ProcessId}");
        string[] old = [.. Enumerable.Range(1, 7).Select(minute => Run($"20260101-000{minute}00-{gone}"))];

        var made = DemoRun.Create(new FarmHome(_home.Path), TimeProvider.System);

        Assert.Equal([live, .. old[2..], made.Root], Directory.EnumerateDirectories(_home.File("demo")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Create_WhereNoFolderCanBe_SaysHowToNameAnother()
    {
        File.WriteAllText(_home.File("demo"), "a file");

        var error = Assert.Throws<FarmException>(() => DemoRun.Create(new FarmHome(_home.Path), TimeProvider.System));

        Assert.Equal("home_not_writable", error.Code);
    }

    private string Run(string name) => Directory.CreateDirectory(Path.Combine(_home.Path, "demo", name)).FullName;
}
