using RenderFarm.Cli.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class ChildProgramTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Start_OutputAndSettings_GoToTheLogAndTheEnvironment()
    {
        using var child = Start("echo \"$GREETING\"; echo oops >&2; exit 3", new() { ["GREETING"] = "good day" });

        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(3, child.ExitCode);
        Assert.Equal(["good day", "oops"], child.LastWords());
        Assert.Contains("exit code 3", child.Death("died").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WhatIsHidden_IsNotPassedOn()
    {
        Environment.SetEnvironmentVariable("ChildTest__SecretKey", "secret");
        Environment.SetEnvironmentVariable("ChildTest__Other", "other");
        using var child = ChildProgram.Start(
            "the child",
            "/bin/bash",
            ["-c", "env"],
            new Dictionary<string, string> { ["ChildTest__Other"] = "given" },
            _folder.File("child.log"),
            hidden: ["ChildTest__"]
        );

        await child.WaitForExitAsync(TestContext.Current.CancellationToken);

        var seen = await File.ReadAllLinesAsync(_folder.File("child.log"), TestContext.Current.CancellationToken);
        Assert.Equal(["ChildTest__Other=given"], seen.Where(line => line.StartsWith("ChildTest__", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task StopAsync_ChildHeedsTheSignal_EndsInItsOwnWay()
    {
        using var child = Start("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done");
        await UpAsync(child);

        await child.StopAsync(TimeSpan.FromSeconds(20), TimeProvider.System);

        Assert.Equal((0, "bye"), (child.ExitCode, child.LastWords()[^1]));
    }

    [Fact]
    public async Task StopAsync_ChildIgnoresTheSignal_IsKilledWithAllItStarted()
    {
        using var child = Start("trap '' TERM; sleep 600 & echo $!; wait");
        await UpAsync(child);
        var grandchild = child.LastWords()[0];

        await child.StopAsync(TimeSpan.FromMilliseconds(200), TimeProvider.System);

        Assert.True(child.HasExited);
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    !File.Exists($"/proc/{grandchild}/stat")
                        || File.ReadAllText($"/proc/{grandchild}/stat").Contains(") Z ", StringComparison.Ordinal)
                ),
            TimeSpan.FromSeconds(10),
            "the grandchild to end",
            TestContext.Current.CancellationToken
        );
    }

    private static Task UpAsync(ChildProgram child) =>
        Eventually.TrueAsync(
            () => Task.FromResult(child.LastWords().Count > 0),
            TimeSpan.FromSeconds(20),
            "the child's first line",
            TestContext.Current.CancellationToken
        );

    private ChildProgram Start(string script, Dictionary<string, string>? settings = null) =>
        ChildProgram.Start("the child", "/bin/bash", ["-c", script], settings ?? [], _folder.File("child.log"));
}
