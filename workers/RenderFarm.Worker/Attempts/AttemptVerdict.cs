using RenderFarm.Contracts.Leases;
using RenderFarm.Planning;
using RenderFarm.Worker.Encoding;

namespace RenderFarm.Worker.Attempts;

/// <summary>How the renderer's process ended.</summary>
/// <param name="Silent">This side killed it, for saying nothing for <paramref name="Patience"/>.</param>
/// <param name="EncoderFirst">The encoder ended while the renderer was at work.</param>
internal sealed record RendererEnding(int Code, bool Silent, bool EncoderFirst, TimeSpan Patience)
{
    /// <summary>This side killed it, for taking that much of the host's memory.</summary>
    public long? HostBytes { get; init; }

    /// <summary>What it was allowed.</summary>
    public long LimitBytes { get; init; }
}

/// <summary>Turns everything known about the two processes into the one reason that explains the rest.</summary>
internal static class AttemptVerdict
{
    private const int KilledBySignal9 = 128 + 9;

    /// <returns>Null when there is a whole video.</returns>
    public static AttemptOutcome.Failed? Of(
        RendererEnding ending,
        AttemptRecord record,
        EncoderEnding encoded,
        int frames,
        bool outOfMemoryKill,
        string lastWords
    )
    {
        // An encoder that died takes the renderer with it, and knows better why
        var encoderBroke = ending.EncoderFirst || record.Failed?.Reason == FailureReason.EncoderFailed;
        if (encoderBroke && encoded.Fault is { } broke)
        {
            return new AttemptOutcome.Failed(broke.Reason, broke.Message);
        }

        if (ending.EncoderFirst)
        {
            return new AttemptOutcome.Failed(
                FailureReason.EncoderFailed,
                $"ffmpeg stopped after {encoded.Frames} frames, before the render was done"
            );
        }

        if (ending.HostBytes is { } bytes)
        {
            return new AttemptOutcome.Failed(
                FailureReason.HostOutOfMemory,
                $"the renderer took {Names.Gib(bytes)} of host memory and was ended at its limit of {Names.Gib(ending.LimitBytes)}; render "
                    + "something smaller, or raise Worker:RendererMemoryGigabytes"
            );
        }

        if (ending.Silent)
        {
            return new AttemptOutcome.Failed(
                FailureReason.RendererTimeout,
                $"the renderer reported nothing for {ending.Patience.TotalSeconds:0} s and was killed"
            );
        }

        if (record.Failed is { } failed)
        {
            return new AttemptOutcome.Failed(failed.Reason, failed.Message);
        }

        if (ending.Code == KilledBySignal9 && outOfMemoryKill)
        {
            return new AttemptOutcome.Failed(
                FailureReason.HostOutOfMemory,
                "the kernel killed the renderer: the host, or the renderer's share of it, ran out of memory"
            );
        }

        if (ending.Code != 0 || record.Finished is null)
        {
            return new AttemptOutcome.Failed(FailureReason.RendererCrashed, Crash(ending.Code, lastWords));
        }

        if (encoded.Fault is { } fault)
        {
            return new AttemptOutcome.Failed(fault.Reason, fault.Message);
        }

        if (record.Finished.Frames != frames)
        {
            return new AttemptOutcome.Failed(
                FailureReason.InvalidOutput,
                $"the renderer made {record.Finished.Frames} frames, asked for were {frames}"
            );
        }

        return encoded.Frames == frames
            ? null
            : new AttemptOutcome.Failed(FailureReason.EncoderFailed, $"ffmpeg wrote {encoded.Frames} frames, the renderer made {frames}");
    }

    private static string Crash(int code, string lastWords)
    {
        var how = code switch
        {
            0 => "the renderer left without a result",
            > 128 => $"the renderer was ended by signal {code - 128}",
            _ => $"the renderer ended with code {code}",
        };
        return lastWords.Length == 0 ? how : $"{how}: {lastWords}";
    }
}
