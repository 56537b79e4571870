using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Hosting;

public sealed class DrainTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Drain_Idle_EndsAtOnce()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(!worker.Desk.Registrations.IsEmpty),
            Soon,
            "registration",
            TestContext.Current.CancellationToken
        );

        worker.RequestDrain();

        await worker.EndAsync();
    }

    /// <summary>Nobody looks for a worker that ends in order; one that keeps a video must come back, and is missed.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Drain_SaysGoodbye_UnlessItKeepsAVideo(bool keeps)
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:DrainGraceSeconds", "0.2");
        worker.Desk.Store.Away = keeps;
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(keeps ? worker.Services.GetRequiredService<UploadSpool>().Count > 0 : !worker.Desk.Endings.IsEmpty),
            Soon,
            $"{job.JobId} to be rendered",
            TestContext.Current.CancellationToken
        );

        worker.RequestDrain();

        await worker.EndAsync();
        Assert.Equal(keeps ? 0 : 1, worker.Desk.Goodbyes.Count(said => said.Instance == worker.Desk.Registrations.First().Instance));
    }

    [Fact]
    public async Task Drain_JobAtWork_FinishesItAndTakesNoOther()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(
            $"until [ -e ${{0%/*}}/go ]; do say '{{\"type\":\"alive\",\"stage\":\"denoising\"}}'; sleep 0.1; done\n{StubRenderer.Good}"
        );
        worker.Set("Worker:DrainGraceSeconds", "60");
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await AtWorkAsync(worker, job);

        worker.RequestDrain();
        var next = worker.Desk.Queue(WorkerUnderTest.Spec);
        await File.WriteAllTextAsync(Path.Combine(worker.Folder, "go"), "", TestContext.Current.CancellationToken);
        await worker.EndAsync();

        Assert.IsType<CompleteRequest>(Assert.Single(worker.Desk.Endings).Request);
        Assert.DoesNotContain(worker.Desk.Renewals, r => r.Job == next.JobId);
    }

    [Theory]
    [InlineData("60", 2)]
    [InlineData("0.2", 1)]
    public async Task Drain_SecondRequestOrGraceOver_HandsTheJobBack(string grace, int requests)
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        worker.Set("Worker:DrainGraceSeconds", grace);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await AtWorkAsync(worker, job);

        for (var i = 0; i < requests; i++)
        {
            worker.RequestDrain();
        }

        await worker.EndAsync();

        Assert.Equal(ReleaseReason.Interrupted, (await worker.Desk.ReleasedAsync(job)).Reason);
        Assert.Empty(Processes.Under(worker.Folder));
    }

    [Fact]
    public async Task Drain_WhileRegisteringAnew_EndsInOrder()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:LeaseWaitSeconds", "0");
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(!worker.Desk.Registrations.IsEmpty),
            Soon,
            "registration",
            TestContext.Current.CancellationToken
        );
        worker.Desk.Forgetful = true;
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Refusals >= 2),
            Soon,
            "a lease and a registration to be refused",
            TestContext.Current.CancellationToken
        );

        worker.RequestDrain();

        await worker.EndAsync();
    }

    [Fact]
    public async Task Start_KeyReplacedInTheBootstrapFile_IsReadAgain()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var file = Path.Combine(worker.Folder, "keys.json");
        await File.WriteAllTextAsync(file, """{"worker_key":"rf_of_an_older_farm"}""", TestContext.Current.CancellationToken);
        worker.Set("Worker:ApiKey", null);
        worker.Set("Keys:BootstrapFile", file);
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Refusals > 0),
            Soon,
            "a refusal",
            TestContext.Current.CancellationToken
        );

        await File.WriteAllTextAsync(file, $$"""{"worker_key":"{{LeaseDesk.Key}}"}""", TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(
            () => Task.FromResult(!worker.Desk.Registrations.IsEmpty),
            Soon,
            "registration",
            TestContext.Current.CancellationToken
        );
    }

    [Fact]
    public async Task Start_WrongKey_EndsNamingTheSetting()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:ApiKey", "rf_wrong");
        await worker.StartAsync();

        var fault = await Assert.ThrowsAsync<WorkerSettingException>(worker.EndAsync);

        Assert.Contains("Worker:ApiKey", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_KeyInTheBootstrapFileThatComesLater_IsFound()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var file = Path.Combine(worker.Folder, "keys.json");
        worker.Set("Worker:ApiKey", null);
        worker.Set("Keys:BootstrapFile", file);
        await worker.StartAsync();
        Assert.Empty(worker.Desk.Registrations);

        await File.WriteAllTextAsync(
            file,
            $$"""{"admin_key":"rf_other","worker_key":"{{LeaseDesk.Key}}"}""",
            TestContext.Current.CancellationToken
        );

        await Eventually.TrueAsync(
            () => Task.FromResult(!worker.Desk.Registrations.IsEmpty),
            Soon,
            "registration",
            TestContext.Current.CancellationToken
        );
    }

    [Fact]
    public async Task Start_FfmpegMissing_EndsNamingTheSettingAndTheRemedy()
    {
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:FfmpegPath", "/nowhere/ffmpeg");
        await worker.StartAsync();

        var fault = await Assert.ThrowsAsync<WorkerSettingException>(worker.EndAsync);

        Assert.Contains("Worker:FfmpegPath", fault.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install ffmpeg", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_DataDirectoryOfAnotherWorker_EndsNamingTheSetting()
    {
        await using var first = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        await using var second = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        second.Set("Worker:DataDirectory", first.DataDirectory);
        await first.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(!first.Desk.Registrations.IsEmpty),
            Soon,
            "registration",
            TestContext.Current.CancellationToken
        );

        await second.StartAsync();
        var fault = await Assert.ThrowsAsync<WorkerSettingException>(second.EndAsync);

        Assert.Contains("Worker:DataDirectory", fault.Message, StringComparison.Ordinal);
    }

    private static Task AtWorkAsync(WorkerUnderTest worker, LeaseGrant job) =>
        Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    worker.Desk.Renewals.Any(r => r.Job == job.JobId && r.Request.Stage == Contracts.Videos.RenderStage.Denoising)
                ),
            Soon,
            $"{job.JobId} to be at work",
            TestContext.Current.CancellationToken
        );
}
