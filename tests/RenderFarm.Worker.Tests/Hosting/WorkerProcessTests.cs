using System.Diagnostics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Hosting;

/// <summary>The worker as a process of its own, as it is deployed.</summary>
public sealed class WorkerProcessTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("Worker:Slots", "many")]
    [InlineData("Worker:DrainGraceSeconds", "soon")]
    [InlineData("Worker:ApiUrl", "nowhere")]
    [InlineData("Worker:RendererPath", "/nowhere/renderer")]
    [InlineData("Worker:FfmpegPath", "/nowhere/ffmpeg")]
    [InlineData("Bus:Kind", "pigeons")]
    [InlineData("Torch:LibraryPath", "/nowhere")]
    public async Task Start_BadSetting_ExitsWith2NamingTheKey(string key, string value)
    {
        await using var settings = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        settings.Set(key, value);

        using var worker = StartProcess(settings);
        var errors = worker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = worker.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(worker.ExitCode == 2, $"exit code {worker.ExitCode}: {await errors} {await output}");
        Assert.Contains(key, await errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", await errors + await output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kill_WorkerWithAJob_TakesRendererAndEncoderWithIt()
    {
        await using var settings = await WorkerUnderTest.CreateAsync(
            """
            say '{"type":"alive","stage":"denoising"}'
            exec cat > /dev/null
            """
        );
        var job = settings.Desk.Queue(WorkerUnderTest.Spec);
        using var worker = StartProcess(settings);
        _ = worker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = worker.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    settings.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Stage == Contracts.Videos.RenderStage.Denoising)
                ),
            Soon,
            "the job to be at work",
            TestContext.Current.CancellationToken
        );
        Assert.Single(Processes.Under(settings.DataDirectory, "video.mp4.part"));

        worker.Kill();

        await Eventually.TrueAsync(
            () => Task.FromResult(Processes.Under(settings.DataDirectory, "video.mp4.part").Count == 0),
            Soon,
            "the encoder to end",
            TestContext.Current.CancellationToken
        );
        Assert.Empty(Directory.EnumerateFiles(settings.DataDirectory, "video.mp4", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Terminate_WorkerWithAJob_HandsItBackAtTheSecondSignalAndExitsWith0()
    {
        await using var settings = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        var job = settings.Desk.Queue(WorkerUnderTest.Spec);
        using var worker = StartProcess(settings);
        _ = worker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = worker.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () => Task.FromResult(settings.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Step == 1)),
            Soon,
            "the job to be at work",
            TestContext.Current.CancellationToken
        );

        await Processes.RunAsync("kill", "-TERM", worker.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var renewals = settings.Desk.Renewals.Count;
        await Eventually.TrueAsync(
            () => Task.FromResult(settings.Desk.Renewals.Count > renewals + 2),
            Soon,
            "the job to go on",
            TestContext.Current.CancellationToken
        );
        Assert.False(worker.HasExited);
        await Processes.RunAsync("kill", "-TERM", worker.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, worker.ExitCode);
        Assert.Equal(ReleaseReason.Interrupted, (await settings.Desk.ReleasedAsync(job)).Reason);
        Assert.Empty(Processes.Under(settings.Folder));
    }

    private static Process StartProcess(WorkerUnderTest settings)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Worker.Hosting.FarmWorker).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((var key, var value) in settings.Settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return Process.Start(start)!;
    }
}
