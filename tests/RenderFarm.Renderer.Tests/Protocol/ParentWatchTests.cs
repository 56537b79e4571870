using System.Diagnostics;
using System.Globalization;
using RenderFarm.Testing;

namespace RenderFarm.Renderer.Tests.Protocol;

public sealed class ParentWatchTests
{
    /// <summary>
    /// The shell stands for a worker that is killed. The renderer's input is a FIFO that it holds open itself, so the
    /// end of its input can't be what ends it.
    /// </summary>
    [Fact]
    public async Task Render_ParentKilled_DiesWithIt()
    {
        using var folder = new TemporaryFolder();
        var output = folder.File("reports");
        var script =
            $"mkfifo '{folder.File("input")}'; exec 3<>'{folder.File("input")}'; '{RendererProcess.Binary}' render <&3 >'{output}' & echo "
            + "$!; wait";
        using var parent = System.Diagnostics.Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", script]) { RedirectStandardOutput = true }
        )!;
        var cancellationToken = TestContext.Current.CancellationToken;
        var renderer = int.Parse((await parent.StandardOutput.ReadLineAsync(cancellationToken))!, CultureInfo.InvariantCulture);
        await Eventually.TrueAsync(
            async () =>
                File.Exists(output) && (await File.ReadAllTextAsync(output, cancellationToken)).Contains("ready", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60),
            "the renderer to be ready",
            cancellationToken
        );

        parent.Kill(entireProcessTree: false);

        await Eventually.TrueAsync(
            () => Task.FromResult(!IsRunning(renderer)),
            TimeSpan.FromSeconds(20),
            "the renderer to die",
            cancellationToken
        );
    }

    /// <summary>A process that is dead but not yet collected counts as dead.</summary>
    private static bool IsRunning(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or IOException)
        {
            return false;
        }
    }
}
