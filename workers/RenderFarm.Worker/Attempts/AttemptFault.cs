using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Encoding;

namespace RenderFarm.Worker.Attempts;

/// <summary>What an exception on the worker's side means for the job.</summary>
internal static class AttemptFault
{
    private const int NoSpaceLeft = 28;

    public static AttemptOutcome.Failed OutcomeOf(Exception fault, string ffmpegPath) =>
        fault switch
        {
            IOException full when full.HResult == NoSpaceLeft || full.Message.Contains("No space left", StringComparison.Ordinal) =>
                new AttemptOutcome.Failed(FailureReason.DiskFull, $"the worker's disk is full: {full.Message}"),
            FileNotFoundException missing when missing.FileName == ffmpegPath => new AttemptOutcome.Failed(
                FailureReason.EncoderFailed,
                FfmpegFault.Missing(ffmpegPath).Message
            ),
            FarmApiException unreachable => new AttemptOutcome.Failed(FailureReason.Transient, unreachable.Message),
            _ => new AttemptOutcome.Failed(
                FailureReason.Transient,
                $"the worker could not run the attempt: {fault.Message}",
                LogTail: fault.ToString()
            ),
        };
}
