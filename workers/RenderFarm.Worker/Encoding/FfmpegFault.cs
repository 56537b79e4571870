using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Children;

namespace RenderFarm.Worker.Encoding;

/// <summary>Reads ffmpeg's last words.</summary>
internal static class FfmpegFault
{
    public const string Remedy = "install it (apt-get install ffmpeg) or set Worker:FfmpegPath";
    public const string Repair = "Install another (apt-get install ffmpeg), or set Worker:FfmpegPath to one";

    private const int NoSpaceLeft = 28;
    private const int LinesTold = 2;

    public static EncoderFault Of(int exitCode, OutputTail errors)
    {
        // ffmpeg exits with the negated error number of a failed write; the text covers versions that don't
        if (exitCode == 256 - NoSpaceLeft || errors.Text.Contains("No space left on device", StringComparison.OrdinalIgnoreCase))
        {
            return new EncoderFault(
                FailureReason.DiskFull,
                "the disk of the worker filled up while the video was being encoded: free space under Worker:DataDirectory"
            );
        }

        // The last line says that options could not be set; the one before it, which
        var last = errors.LastLines(LinesTold);
        var how = exitCode > 128 && exitCode < 128 + 65 ? $"was ended by signal {exitCode - 128}" : $"ended with code {exitCode}";
        return new EncoderFault(FailureReason.EncoderFailed, last.Length > 0 ? $"ffmpeg {how}: {last}" : $"ffmpeg {how}");
    }

    public static EncoderFault Missing(string program) => new(FailureReason.EncoderFailed, $"there is no ffmpeg at '{program}': {Remedy}");
}
