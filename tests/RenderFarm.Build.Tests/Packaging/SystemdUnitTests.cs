using System.Diagnostics;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Build.Tests.Packaging;

/// <summary>The units of an installed farm, as systemd itself judges them.</summary>
public sealed class SystemdUnitTests : IDisposable
{
    /// <summary>Of 10, as systemd counts what a unit may do; both are below by what they need no right for.</summary>
    private const string MostExposureTenths = "25";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("renderfarm-api.service")]
    [InlineData("renderfarm-worker.service")]
    public async Task Unit_Verified_HasNoKeyThatSystemdDoesNotKnow(string unit)
    {
        var (code, said) = await AnalyzeAsync("verify", "--recursive-errors=no", Runnable(unit));

        Assert.True(code == 0 && said.Length == 0, said);
    }

    [Fact]
    public async Task Verify_MisspeltKey_IsFound()
    {
        var unit = Runnable("renderfarm-api.service");
        await File.WriteAllTextAsync(
            unit,
            (await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken)).Replace("RestartSec=", "RestartSecs="),
            TestContext.Current.CancellationToken
        );

        var (_, said) = await AnalyzeAsync("verify", "--recursive-errors=no", unit);

        Assert.Contains("RestartSecs", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("renderfarm-api.service")]
    [InlineData("renderfarm-worker.service")]
    public async Task Unit_Security_StaysBelowTheExposureItIsMeantToHave(string unit)
    {
        var (code, said) = await AnalyzeAsync(
            "security",
            "--offline=yes",
            "--no-pager",
            $"--threshold={MostExposureTenths}",
            Path.Combine(Units, unit)
        );

        Assert.True(code == 0, said);
    }

    /// <summary>What a stop waits for is longer than what the worker is given for its job, or the drain would be cut.</summary>
    [Fact]
    public void WorkerUnit_Stop_LeavesTimeForTheDrainThatIsSet()
    {
        var stop = double.Parse(Line(Path.Combine(Units, "renderfarm-worker.service"), "TimeoutStopSec="), null);
        var drain = double.Parse(Line(Path.Combine(Units, "..", "etc", "worker.env"), "Worker__DrainGraceSeconds="), null);

        Assert.True(stop > drain + 30, $"{stop} s to stop, {drain} s to drain");
    }

    private static string Units => Path.Combine(BuiltPrograms.Root, "deploy", "package", "systemd");

    private static string Line(string file, string key) =>
        File.ReadLines(file).Single(line => line.StartsWith(key, StringComparison.Ordinal))[key.Length..];

    /// <summary>A copy whose program is there; where the farm is installed, its own would be.</summary>
    private string Runnable(string unit)
    {
        var path = _folder.File(unit);
        File.WriteAllLines(
            path,
            File.ReadLines(Path.Combine(Units, unit))
                .Select(line => line.StartsWith("ExecStart=", StringComparison.Ordinal) ? "ExecStart=/bin/true" : line)
                .Where(line => !line.StartsWith("Documentation=", StringComparison.Ordinal))
        );
        return path;
    }

    private static async Task<(int Code, string Said)> AnalyzeAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("systemd-analyze", arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("no systemd-analyze here (apt-get install systemd)");
            throw;
        }

        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, (output + await errors).Trim());
        }
    }
}
