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
    [InlineData("Artifacts:Kind", "tape")]
    [InlineData("Torch:LibraryPath", "/nowhere")]
    public async Task Start_BadSetting_ExitsWith2NamingTheKey(string key, string value)
    {
        await using WorkerUnderTest settings = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        settings.Set(key, value);

        using Process worker = StartProcess(settings);
        Task<string> errors = worker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> output = worker.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(worker.ExitCode == 2, $"exit code {worker.ExitCode}: {await errors} {await output}");
        Assert.Contains(key, await errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", await errors + await output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kill_WorkerWithAJob_TakesRendererAndEncoderWithIt()
    {
        await using WorkerUnderTest settings = await WorkerUnderTest.CreateAsync(
            """
            say '{"type":"alive","stage":"denoising"}'
            exec cat > /dev/null
            """
        );
        LeaseGrant job = settings.Desk.Queue(WorkerUnderTest.Spec);
        using Process worker = StartProcess(settings);
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
        await using WorkerUnderTest settings = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        LeaseGrant job = settings.Desk.Queue(WorkerUnderTest.Spec);
        using Process worker = StartProcess(settings);
        _ = worker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = worker.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () => Task.FromResult(settings.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Step == 1)),
            Soon,
            "the job to be at work",
            TestContext.Current.CancellationToken
        );

        await Processes.RunAsync("kill", "-TERM", worker.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
        int renewals = settings.Desk.Renewals.Count;
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
        Assert.Equal("interrupted", (await settings.Desk.ReleasedAsync(job)).Reason);
        Assert.Empty(Processes.Under(settings.Folder));
    }

    private static Process StartProcess(WorkerUnderTest settings)
    {
        ProcessStartInfo start = new("dotnet", [typeof(Worker.Hosting.FarmWorker).Assembly.Location])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string key, string? value) in settings.Settings)
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return Process.Start(start)!;
    }
}
