using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Encoding;

/// <summary>What came of a trial.</summary>
/// <param name="Refusal">Why the encoder can't make a video of anything; null when it made one, or when the disk was in its way.</param>
/// <param name="MissingPictures">Why a video of this encoder has no thumbnail or no spritesheet; empty when it has both.</param>
internal sealed record EncoderTrialResult(string? Refusal, IReadOnlyList<string> MissingPictures);

/// <summary>
/// The command lines of a job, to the letter, on one black second: an encoder that lacks one of their options says so here, and not
/// after a render.
/// </summary>
internal sealed class EncoderTrial(IOptions<WorkerOptions> options, TimeProvider time)
{
    private const int Side = 32;
    private const int FramesPerSecond = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    // One second and the frame that ends it: lengths are 4n+1
    private static readonly RenderSpec BlackSecond = new()
    {
        Model = "trial",
        Prompt = "one black second",
        Width = Side,
        Height = Side,
        Frames = FramesPerSecond + 1,
        Fps = FramesPerSecond,
        Steps = 1,
        GuidanceScale = 1,
        Shift = 1,
        Seed = 0,
    };

    private static readonly RenderPlan AnyPlan = new()
    {
        Device = "cpu",
        Precision = Precision.Fp32,
        BlocksResident = 1,
        BlocksStreamed = 0,
        PredictedPeakBytes = 0,
        Fits = true,
    };

    public async Task<EncoderTrialResult> RunAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("renderfarm-encoder-").FullName;
        try
        {
            var (video, fault) = await VideoAsync(folder);
            if (video is null)
            {
                return new EncoderTrialResult(fault!.Reason == FailureReason.DiskFull ? null : fault.Message, []);
            }

            List<string> complaints = [];
            await VideoPictures.CutAsync(options.Value.FfmpegPath, BlackSecond, video, time, complaints.Add, cancellationToken);
            return new EncoderTrialResult(null, complaints);
        }
        catch (FileNotFoundException missing) when (missing.FileName == options.Value.FfmpegPath)
        {
            return new EncoderTrialResult(FfmpegFault.Missing(options.Value.FfmpegPath).Message, []);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<(string? Video, EncoderFault? Fault)> VideoAsync(string folder)
    {
        using var pipe = FramePipe.Create(Path.Combine(folder, "frames.fifo"));
        using var encoder = VideoEncoder.Start(options.Value.FfmpegPath, folder, BlackSecond, AnyPlan, pipe);
        var feeding = Task.Run(() => FeedAsync(pipe, encoder), CancellationToken.None);
        EncoderEnding ending;
        try
        {
            await feeding.WaitAsync(Patience, time, CancellationToken.None);
            pipe.CloseWriter();
            ending = await encoder.Ended.WaitAsync(Patience, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            encoder.Kill();
            await feeding; // With its reader gone it has nothing left to wait for
            return (null, Fault($"ffmpeg was not done with one black second after {Patience.TotalSeconds:0} s"));
        }

        if (ending.Fault is { } fault)
        {
            return (null, fault);
        }

        return ending.Frames == BlackSecond.Frames
            ? (encoder.Publish(), null)
            : (null, Fault($"ffmpeg wrote {ending.Frames} of the {BlackSecond.Frames} frames of one black second"));
    }

    private static EncoderFault Fault(string message) => new(FailureReason.EncoderFailed, message);

    /// <summary>Until the encoder has taken all frames, or has ended.</summary>
    private async Task FeedAsync(FramePipe pipe, VideoEncoder encoder)
    {
        var frames = new byte[BlackSecond.Frames * Side * Side * 3];
        while (!encoder.Ended.IsCompleted && !pipe.TryWrite(frames))
        {
            await Task.Delay(Pause, time);
        }
    }
}
