using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

/// <summary>The worker with the renderer that ships, and random weights of the tiny model.</summary>
public sealed class RealRendererTests
{
    [Fact]
    public async Task Run_TwoJobs_RenderInTwoProcessesAndTheSameSeedGivesTheSameVideo()
    {
        await using WorkerUnderTest worker = await RealAsync();
        LeaseGrant first = worker.Desk.Queue(WorkerUnderTest.Spec);
        LeaseGrant second = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        CompleteRequest one = await worker.Desk.CompletedAsync(first);
        CompleteRequest two = await worker.Desk.CompletedAsync(second);

        Assert.NotNull(one.Measurements!.RendererProcessId);
        Assert.NotEqual(one.Measurements.RendererProcessId, two.Measurements!.RendererProcessId);
        Assert.Equal(one.Artifacts[0].Sha256, two.Artifacts[0].Sha256);
        Assert.True(one.Measurements.PeakBytes > 0);
        Assert.True(one.Measurements.StepSeconds > 0);
        string video = Path.Combine(worker.Settings["Artifacts:Directory"]!, one.Artifacts[0].Key);
        (_, string probed, _) = await Processes.RunAsync(
            "ffprobe",
            "-v",
            "error",
            "-count_frames",
            "-show_entries",
            "stream=width,height,r_frame_rate,nb_read_frames",
            "-of",
            "csv=p=0",
            video
        );
        Assert.Equal("32,32,8/1,5", probed.Trim());
    }

    [Fact]
    public async Task Run_TruncatedCheckpoint_FailsNamingIt()
    {
        await using WorkerUnderTest worker = await RealAsync();
        string dit = Directory
            .EnumerateFiles(worker.Settings["Models:Directory"]!, "diffusion*.safetensors", SearchOption.AllDirectories)
            .Single();
        await using (FileStream file = new(dit, FileMode.Open))
            file.SetLength(file.Length / 2);
        LeaseGrant job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        FailRequest failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.CheckpointInvalid, failure.Reason);
        Assert.Contains(Path.GetFileName(dit), failure.Message, StringComparison.Ordinal);
    }

    private static async Task<WorkerUnderTest> RealAsync()
    {
        WorkerUnderTest worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        string renderer = Children.RendererUnderTest.Path;
        string model = Path.Combine(worker.Settings["Models:Directory"]!, "tiny");
        Directory.Delete(model, recursive: true);
        (int code, string output, string errors) = await Processes.RunAsync(
            renderer,
            "models",
            "make-random",
            "tiny",
            model,
            "--seed",
            "7"
        );
        Assert.True(code == 0, output + errors);
        worker.Set("Worker:RendererPath", renderer);
        return worker;
    }
}
