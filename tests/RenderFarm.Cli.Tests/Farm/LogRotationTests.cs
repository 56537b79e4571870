using RenderFarm.Cli.Farm;
using RenderFarm.Hosting.Logs;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class LogRotationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LogRotation _rotation = new(new LogsOptions { FileMegabytes = 0.1, Files = 3 });

    private string Log => _folder.File("worker.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Look_SmallFile_IsLeftAlone()
    {
        Write("a line\n");

        Assert.False(_rotation.Look(Log));
        Assert.False(_rotation.Look(_folder.File("none.log")));
        Assert.Equal("a line\n", File.ReadAllText(Log));
    }

    [Fact]
    public void Look_GrownAgainAndAgain_KeepsTheNewestFilesAndNoMore()
    {
        foreach (var round in new[] { "1", "2", "3", "4" })
        {
            Write(Filling(round));
            Assert.True(_rotation.Look(Log));
        }

        Write("now\n");
        Assert.Equal(
            ["worker.log", "worker.log.1", "worker.log.2"],
            Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal("now\n", File.ReadAllText(Log));
        Assert.StartsWith("4", File.ReadAllText(Log + ".1"), StringComparison.Ordinal);
        Assert.StartsWith("3", File.ReadAllText(Log + ".2"), StringComparison.Ordinal);
    }

    /// <summary>The program has its file open from before, and never hears of it.</summary>
    [Fact]
    public void Look_WhileAProgramAppends_LosesNoLineAndLeavesNoHole()
    {
        using var program = new FileStream(Log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var all = 0;
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 2_000; i++)
            {
                program.Seek(0, SeekOrigin.End);
                program.Write(System.Text.Encoding.ASCII.GetBytes($"line {all++:000000} {new string('.', 48)}\n"));
            }

            _rotation.Look(Log);
        }

        var kept = new[] { Log + ".2", Log + ".1", Log }.Where(File.Exists).SelectMany(File.ReadLines).ToList();
        Assert.Equal(Enumerable.Range(all - kept.Count, kept.Count).Select(i => $"line {i:000000}"), kept.Select(line => line[..11]));
        Assert.True(kept.Count >= 4_000);
    }

    private static string Filling(string with) => string.Concat(Enumerable.Repeat(with, 120_000));

    private void Write(string text) => File.AppendAllText(Log, text);
}
