using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Renderer.Protocol;
using RenderFarm.Testing;
using static RenderFarm.Contracts.Rendering.RendererReport;

namespace RenderFarm.Renderer.Tests.Protocol;

/// <summary>The renderer as a worker meets it: a real process, a real FIFO, a real (random) model.</summary>
public sealed class RenderVerbTests(RandomTinyModel model) : IClassFixture<RandomTinyModel>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Render_TinyModel_WritesEveryFrameAndSaysWhatItMeasured()
    {
        var (frames, reports, exitCode) = await RenderAsync(seed: 7);

        Assert.Equal(0, exitCode);
        Assert.Equal(5 * 64 * 48 * 3, frames.Length);
        Assert.IsType<Ready>(reports[0]);
        Assert.Equal(
            [RenderStage.Loading, RenderStage.EncodingText, RenderStage.Denoising, RenderStage.Decoding],
            reports.OfType<StageStarted>().Select(r => r.Stage)
        );
        Assert.Equal([(1, 2), (2, 2)], reports.OfType<StepDone>().Select(r => (r.Step, r.Steps)));
        Assert.Equal([(1, 5), (5, 5)], reports.OfType<FramesWritten>().Select(r => (r.Frames, r.Of)));

        var finished = Assert.IsType<Finished>(reports[^1]);
        Assert.Equal(5, finished.Frames);
        Assert.Null(finished.Warning);
        Assert.Equal(123, finished.Measurements.PredictedPeakBytes);
        Assert.True(finished.Measurements.PeakBytes > 50_000_000, "libtorch alone takes more");
        Assert.Equal(["decoding", "denoising", "encoding_text", "loading"], finished.Measurements.StagePeakBytes!.Keys.Order());
        Assert.All(
            [
                finished.Measurements.LoadSeconds,
                finished.Measurements.EncodeTextSeconds,
                finished.Measurements.StepSeconds,
                finished.Measurements.DenoiseSeconds,
                finished.Measurements.DecodeSeconds,
                finished.Measurements.ProcessStartSeconds,
            ],
            s => Assert.True(s > 0)
        );
    }

    [Fact]
    public async Task Render_SameSeedInTwoProcesses_SameFrames()
    {
        var (first, reports, _) = await RenderAsync(seed: 7);
        var (second, otherReports, _) = await RenderAsync(seed: 7);
        var (other, _, _) = await RenderAsync(seed: 8);

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.NotEqual(reports.OfType<Ready>().Single().ProcessId, otherReports.OfType<Ready>().Single().ProcessId);
    }

    [Fact]
    public async Task Render_InputEndsBeforeAnOrder_ExitsQuietly()
    {
        using var renderer = new RendererProcess("render");
        renderer.CloseInput();

        var (reports, exitCode) = await renderer.ToEndAsync();

        Assert.Equal(0, exitCode);
        Assert.IsType<Ready>(Assert.Single(reports));
        Assert.Empty(await renderer.ErrorsAsync());
    }

    [Fact]
    public async Task Render_Ready_StandardOutputIsNoLongerDescriptorOne()
    {
        using var renderer = new RendererProcess("render");
        await renderer.UntilAsync<Ready>();

        static string? Target(int pid, int fd) => File.ResolveLinkTarget($"/proc/{pid}/fd/{fd}", returnFinalTarget: false)?.Name;
        Assert.Equal(Target(renderer.Id, 2), Target(renderer.Id, 1));
    }

    [Theory]
    [InlineData("input ends")]
    [InlineData("SIGTERM")]
    public async Task Render_CancelledBetweenSteps_ReportsCancelledAndFreesTheSlot(string how)
    {
        using var renderer = new RendererProcess("render");
        renderer.Send(model.Order(RendererProcess.MakePipe(_folder), steps: 1000));
        await renderer.UntilAsync<StepDone>();

        if (how == "SIGTERM")
        {
            renderer.Terminate();
        }
        else
        {
            renderer.CloseInput();
        }

        var (reports, exitCode) = await renderer.ToEndAsync();
        Assert.Equal(ExitCodes.Cancelled, exitCode);
        Assert.Equal(FailureReason.Cancelled, Assert.IsType<Failed>(reports[^1]).Reason);
        Assert.True(reports.OfType<StepDone>().Count() < 999);
    }

    [Fact]
    public async Task Render_EncoderLeaves_ReportsEncoderFailed()
    {
        var pipe = RendererProcess.MakePipe(_folder);
        using var renderer = new RendererProcess("render");
        // More bytes than the pipe holds: the renderer must still be writing when the reader goes
        renderer.Send(model.Order(pipe, frames: 33, width: 128, height: 96));
        await using (var encoder = await OpenAsync(pipe))
        {
            await encoder.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
        }

        var (reports, exitCode) = await renderer.ToEndAsync();

        Assert.Equal(ExitCodes.Failed, exitCode);
        Assert.Equal(FailureReason.EncoderFailed, Assert.IsType<Failed>(reports[^1]).Reason);
    }

    [Fact]
    public async Task Render_NoOrder_ReportsInvalidRequest()
    {
        using var renderer = new RendererProcess("render");
        renderer.SendLine("{\"job_id\":");

        var (reports, exitCode) = await renderer.ToEndAsync();

        Assert.Equal(ExitCodes.Failed, exitCode);
        Assert.Equal(FailureReason.InvalidRequest, Assert.IsType<Failed>(reports[^1]).Reason);
    }

    [Fact]
    public async Task Render_MissingCheckpoint_ReportsModelUnavailableAndNamesTheFile()
    {
        var order = model.Order(_folder.File("frames"));
        var failed = await FailureOfAsync(order with { Files = order.Files with { Vae = ["/nowhere/Wan2.1_VAE.safetensors"] } });

        Assert.Equal(FailureReason.ModelUnavailable, failed.Reason);
        Assert.Contains("/nowhere/Wan2.1_VAE.safetensors", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_TruncatedCheckpoint_ReportsCheckpointInvalid()
    {
        var order = model.Order(_folder.File("frames"));
        var whole = File.ReadAllBytes(order.Files.Transformer[0]);
        var cut = _folder.File("cut.safetensors");
        File.WriteAllBytes(cut, whole[..^1000]);

        var failed = await FailureOfAsync(order with { Files = order.Files with { Transformer = [cut] } });

        Assert.Equal(FailureReason.CheckpointInvalid, failed.Reason);
        Assert.Contains("cut short", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_ForeignCheckpoint_SaysWhatItIs()
    {
        var order = model.Order(_folder.File("frames"));

        var failed = await FailureOfAsync(order with { Files = order.Files with { Transformer = order.Files.Vae } });

        Assert.Equal(FailureReason.CheckpointInvalid, failed.Reason);
        Assert.Contains("there is no Transformer in it; it is ", failed.Message, StringComparison.Ordinal);
        Assert.Contains("VAE", failed.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Render_PlanForAnotherDevice_ReportsInvalidRequest()
    {
        var order = model.Order(_folder.File("frames"));

        var failed = await FailureOfAsync(order with { Plan = order.Plan with { Device = "cuda" } });

        Assert.Equal(FailureReason.InvalidRequest, failed.Reason);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<(byte[] Frames, IReadOnlyList<RendererReport> Reports, int ExitCode)> RenderAsync(long seed)
    {
        using var place = new TemporaryFolder();
        var pipe = RendererProcess.MakePipe(place);
        using var renderer = new RendererProcess("render");
        renderer.Send(model.Order(pipe, seed));
        var reading = Task.Run(
            async () =>
            {
                await using var stream = await OpenAsync(pipe);
                using var bytes = new MemoryStream();
                await stream.CopyToAsync(bytes, TestContext.Current.CancellationToken);
                return bytes.ToArray();
            },
            TestContext.Current.CancellationToken
        );
        var (reports, exitCode) = await renderer.ToEndAsync();
        Assert.True(exitCode == 0, await renderer.ErrorsAsync());
        return (await reading, reports, exitCode);
    }

    private static async Task<Failed> FailureOfAsync(RenderOrder order)
    {
        using var renderer = new RendererProcess("render");
        renderer.Send(order);
        var (reports, exitCode) = await renderer.ToEndAsync();
        Assert.Equal(ExitCodes.Failed, exitCode);
        return Assert.IsType<Failed>(reports[^1]);
    }

    /// <summary>Opening the reading end waits for the renderer to open the writing end.</summary>
    private static Task<FileStream> OpenAsync(string pipe) =>
        Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Read), TestContext.Current.CancellationToken);
}
