using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Worker.Children;

namespace RenderFarm.Worker.Encoding;

/// <summary>How an encoder ended.</summary>
/// <param name="Fault">Null when it wrote a whole video of <paramref name="Frames"/> frames.</param>
internal sealed record EncoderEnding(int Frames, EncoderFault? Fault);

internal sealed record EncoderFault(FailureReason Reason, string Message);

/// <summary>
/// One ffmpeg that reads a <see cref="FramePipe"/> and writes <c>video.mp4.part</c>. The name without <c>.part</c>
/// appears only by <see cref="Publish"/>, after a good ending with the right number of frames.
/// </summary>
internal sealed class VideoEncoder : IDisposable
{
    private readonly ChildProcess _ffmpeg;
    private readonly string _part;
    private int _frames;

    private VideoEncoder(ChildProcess ffmpeg, string part)
    {
        _ffmpeg = ffmpeg;
        _part = part;
        Ended = FollowAsync();
    }

    /// <summary>Never fails.</summary>
    public Task<EncoderEnding> Ended { get; }

    /// <summary>Frames it has taken in so far.</summary>
    public int Frames => Volatile.Read(ref _frames);

    public string LogTail => _ffmpeg.Errors.Text;

    /// <exception cref="FileNotFoundException">There is no ffmpeg.</exception>
    /// <exception cref="IOException">The folder's disk is full.</exception>
    public static VideoEncoder Start(string ffmpeg, string folder, RenderSpec spec, RenderPlan plan, FramePipe pipe)
    {
        var metadata = Path.Combine(folder, "metadata.txt");
        var part = Path.Combine(folder, "video.mp4.part");
        File.WriteAllText(metadata, VideoMetadata.Of(spec, plan));
        return new VideoEncoder(
            ChildProcess.Start(ffmpeg, EncoderArguments.Video(spec, pipe.ReaderPath, metadata, part), ChildEnvironment.Base(), folder),
            part
        );
    }

    /// <summary>Gives the video its name. Only after <see cref="Ended"/> without a fault.</summary>
    public string Publish()
    {
        var path = Path.ChangeExtension(_part, null);
        File.Move(_part, path);
        return path;
    }

    public void Kill() => _ffmpeg.KillGroup();

    public void Dispose() => _ffmpeg.Dispose();

    private async Task<EncoderEnding> FollowAsync()
    {
        try
        {
            while (await _ffmpeg.Output.ReadLineAsync() is { } line)
            {
                if (
                    line.StartsWith("frame=", StringComparison.Ordinal)
                    && int.TryParse(line.AsSpan(6), NumberStyles.Integer, CultureInfo.InvariantCulture, out var frames)
                )
                {
                    Volatile.Write(ref _frames, frames);
                }
            }
        }
        catch (IOException)
        {
            // Its exit code, next, says more
        }

        var code = await _ffmpeg.Exited;
        return new EncoderEnding(Frames, code == 0 ? null : FfmpegFault.Of(code, _ffmpeg.Errors));
    }
}
