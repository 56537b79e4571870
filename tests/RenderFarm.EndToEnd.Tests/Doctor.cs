using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;
using RenderFarm.Testing;
using RenderFarm.Testing.Cards;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

public sealed class Doctor : IDisposable
{
    private readonly TemporaryFolder _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task Doctor_NothingSet_JoinsWhatEveryProgramFindsAndChangesNothing()
    {
        var (code, checks) = await AskAsync([]);

        Assert.Equal(0, code);
        Assert.All(
            ["database", "ffmpeg", "host memory", "artifacts", "broker", "libtorch", "arithmetic", "disk"],
            subject => Assert.Contains(checks, check => check.Subject == subject)
        );
        Assert.Equal(HostCheckResult.Ok, checks.Single(check => check.Subject == "libtorch").Result);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_home.Path));
    }

    [Fact]
    public async Task Doctor_EverythingOutOfReach_NamesEachWithItsRemedy()
    {
        var (code, checks) = await AskAsync(
            new()
            {
                ["Store__Kind"] = "postgres",
                ["Store__ConnectionString"] = "Host=127.0.0.1;Port=1;Username=farm;Database=farm",
                ["Bus__Kind"] = "rabbitmq",
                ["Bus__Uri"] = "amqp://guest:guest@127.0.0.1:1/",
                ["Artifacts__Kind"] = "s3",
                ["Artifacts__Endpoint"] = "http://127.0.0.1:1",
                ["Artifacts__AccessKey"] = "key",
                ["Artifacts__SecretKey"] = "long enough",
                ["Artifacts__Bucket"] = "renderfarm",
                ["Worker__FfmpegPath"] = "/nowhere/ffmpeg",
            }
        );

        Assert.Equal(1, code);
        var lacks = checks.Where(check => check.Result == HostCheckResult.Lacks).ToDictionary(check => check.Subject);
        Assert.Equal(["artifacts", "broker", "database", "ffmpeg"], lacks.Keys.Order());
        Assert.All(lacks.Values, check => Assert.NotEmpty(check.Remedy!));
        Assert.DoesNotContain(checks, check => check.Finding.Contains("guest:guest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Doctor_HostWithACard_SaysWhatItIsAndWhoIsOnIt()
    {
        using var driver = await FakeDriver.WithAsync(
            new FakeCard("GPU-1", "NVIDIA_Test", 24L << 30, 9L << 30)
            {
                Processes = new Dictionary<int, long?> { [Environment.ProcessId] = 8L << 30 },
                Temperature = 71,
            }
        );

        var (_, checks) = await AskAsync(new() { ["Worker__NvmlPath"] = driver.Path });

        var card = checks.Single(check => check.Subject == "gpu0");
        Assert.StartsWith("NVIDIA_Test, driver 580.65.06, 15.0 GiB free of 24.0 GiB", card.Finding, StringComparison.Ordinal);
        Assert.Contains($"(process {Environment.ProcessId}) 8.0 GiB", card.Finding, StringComparison.Ordinal);
        Assert.Contains("71 °C", card.Finding, StringComparison.Ordinal);
        // The driver is a stand-in: the renderer's libtorch sees nothing of it.
        var renders = checks.Single(check => check.Subject == "gpu0 renders");
        Assert.Equal(HostCheckResult.Lacks, renders.Result);
        Assert.Contains("sees no card", renders.Finding, StringComparison.Ordinal);
        Assert.Contains("RENDERFARM_LIBTORCH=cuda", renders.Remedy, StringComparison.Ordinal);
    }

    private async Task<(int Code, HostCheck[] Checks)> AskAsync(Dictionary<string, string> settings)
    {
        var start = new ProcessStartInfo(BuiltPrograms.Cli, ["doctor", "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["RENDERFARM_HOME"] = _home.Path;
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(output.TrimStart().StartsWith('['), output + await errors);
        return (process.ExitCode, JsonSerializer.Deserialize(output, ContractsJson.Default.HostCheckArray)!);
    }
}
