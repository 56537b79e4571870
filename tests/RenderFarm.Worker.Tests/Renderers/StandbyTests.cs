using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Renderers;

/// <summary>The next job's renderer, started before there is a job.</summary>
public sealed class StandbyTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Run_Standby_TakesTheJobAndIsReplacedAfterIt()
    {
        await using var worker = await StandbyWorkerAsync();
        await worker.StartAsync();
        var first = await StandingByAsync(worker, not: 0);

        var ending = await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec));

        Assert.Equal(first, ending.Measurements!.RendererProcessId);
        var second = await StandingByAsync(worker, not: first);
        Assert.Equal(second, (await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec))).Measurements!.RendererProcessId);
    }

    [Fact]
    public async Task Run_StandbyHasDied_StartsAFreshRenderer()
    {
        await using var worker = await StandbyWorkerAsync();
        await worker.StartAsync();
        var dead = await StandingByAsync(worker, not: 0);
        Processes.Kill(dead);
        await Eventually.TrueAsync(
            () => Task.FromResult(!Processes.Under(worker.Folder).Contains(dead)),
            TimeSpan.FromSeconds(5),
            "the standby to be dead",
            TestContext.Current.CancellationToken
        );

        var ending = await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec));

        Assert.NotEqual(dead, ending.Measurements!.RendererProcessId);
    }

    [Fact]
    public async Task Run_JobWithAnEnvironmentOfItsOwn_LeavesTheStandbyAside()
    {
        await using var worker = await StandbyWorkerAsync(
            """
            if [ "$CUDA_LAUNCH_BLOCKING" != 1 ]; then
                say '{"type":"failed","reason":"transient","message":"no such environment"}'; exit 1
            fi
            """
        );
        await worker.StartAsync();
        var standby = await StandingByAsync(worker, not: 0);

        var ending = await worker.Desk.CompletedAsync(
            worker.Desk.Queue(WorkerUnderTest.Spec with { Debug = new DebugSwitches { CudaLaunchBlocking = true } })
        );

        Assert.NotEqual(standby, ending.Measurements!.RendererProcessId);
    }

    [Fact]
    public async Task Drain_StandbyWaiting_EndsItAtOnce()
    {
        await using var worker = await StandbyWorkerAsync();
        await worker.StartAsync();
        await StandingByAsync(worker, not: 0);

        worker.RequestDrain();
        await worker.EndAsync();

        // Killed, and gone as soon as the kernel has taken it apart
        await Eventually.TrueAsync(
            () => Task.FromResult(Processes.Under(worker.Folder).Count == 0),
            TimeSpan.FromSeconds(5),
            "the standby to be gone",
            TestContext.Current.CancellationToken
        );
    }

    [Fact]
    public async Task Run_EveryRendererOfASlot_HasTheSameThreads()
    {
        await using var worker = await StandbyWorkerAsync("""echo "threads $OMP_NUM_THREADS $MKL_NUM_THREADS" >&2""");
        worker.Set("Worker:RendererThreads", "3");
        await worker.StartAsync();

        Assert.Contains(
            "threads 3 3",
            (await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec))).LogTail,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "threads 3 3",
            (await worker.Desk.CompletedAsync(worker.Desk.Queue(WorkerUnderTest.Spec))).LogTail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Run_RendererOverItsHostMemory_IsEndedAndSaysSo()
    {
        // A string that doubles until it is stopped
        await using var worker = await WorkerUnderTest.CreateAsync(
            "x=0123456789abcdef; for i in $(seq 24); do x=$x$x; say '{\"type\":\"alive\",\"stage\":\"denoising\"}'; done; while :; do say "
                + "'{\"type\":\"alive\",\"stage\":\"denoising\"}'; sleep 0.1; done"
        );
        worker.Set("Worker:RendererMemoryGigabytes", "0.05");
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.HostOutOfMemory, failure.Reason);
        Assert.Contains("limit of 51 MiB", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<WorkerUnderTest> StandbyWorkerAsync(string first = "")
    {
        var worker = await WorkerUnderTest.CreateAsync(first + "\n" + StubRenderer.Good);
        worker.Set("Worker:Standby", "true");
        return worker;
    }

    /// <returns>The process id of the renderer that waits for its order.</returns>
    private static async Task<int> StandingByAsync(WorkerUnderTest worker, int not)
    {
        var program = worker.Settings["Worker:RendererPath"]!;
        var found = 0;
        await Eventually.TrueAsync(
            () => Task.FromResult(Processes.Under(program) is [var only] && (found = only) != not),
            Soon,
            "a renderer to stand by",
            TestContext.Current.CancellationToken
        );
        return found;
    }
}
