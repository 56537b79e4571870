using RenderFarm.Contracts.Leases;
using RenderFarm.Testing.Farms;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

/// <summary>The worker with the renderer that ships, and random weights of the tiny model.</summary>
public sealed class RealRendererTests
{
    [Fact]
    public async Task Run_TwoJobs_RenderInTwoProcessesAndTheSameSeedGivesTheSameVideo()
    {
        await using var worker = await RealAsync();
        var first = worker.Desk.Queue(WorkerUnderTest.Spec);
        var second = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var one = await worker.Desk.CompletedAsync(first);
        var two = await worker.Desk.CompletedAsync(second);

        Assert.NotNull(one.Measurements!.RendererProcessId);
        Assert.NotEqual(one.Measurements.RendererProcessId, two.Measurements!.RendererProcessId);
        Assert.Equal(one.Artifacts[0].Sha256, two.Artifacts[0].Sha256);
        Assert.True(one.Measurements.PeakBytes > 0);
        Assert.True(one.Measurements.StepSeconds > 0);
        var video = Path.Combine(worker.Folder, "stored.mp4");
        await File.WriteAllBytesAsync(video, worker.Store.Objects[one.Artifacts[0].Key], TestContext.Current.CancellationToken);
        (_, var probed, _) = await Processes.RunAsync(
            "ffprobe", "-v", "error", "-count_frames", "-show_entries",
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
        await using var worker = await RealAsync();
        var dit = Directory
            .EnumerateFiles(worker.Settings["Models:Directory"]!, "diffusion*.safetensors", SearchOption.AllDirectories)
            .Single();
        await using (var file = new FileStream(dit, FileMode.Open))
        {
            file.SetLength(file.Length / 2);
        }

        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.CheckpointInvalid, failure.Reason);
        Assert.Contains(Path.GetFileName(dit), failure.Message, StringComparison.Ordinal);
    }

    private static async Task<WorkerUnderTest> RealAsync()
    {
        var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        var model = Path.Combine(worker.Settings["Models:Directory"]!, "tiny");
        Directory.Delete(model, recursive: true);
        string[] make = ["models", "make-random", "tiny", model, "--seed", "7"];
        (var code, var output, var errors) = await Processes.RunAsync(BuiltPrograms.Tools, make);
        Assert.True(code == 0, output + errors);
        worker.Set("Worker:RendererPath", Children.RendererUnderTest.Path);
        return worker;
    }
}
