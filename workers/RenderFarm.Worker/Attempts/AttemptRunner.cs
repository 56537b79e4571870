using System.Diagnostics;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Tracing;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The outer layer of an attempt: it never throws, and every lease it is given comes to exactly one ending. The slot is
/// free when it returns; a finished video's upload goes on in the spool.
/// </summary>
internal sealed class AttemptRunner(
    IOptions<WorkerOptions> options,
    LeasedAttempt attempt,
    EncoderGuard encoder,
    RendererLauncher launcher,
    AttemptReporter reporter,
    WorkerMetrics metrics,
    ILogger<AttemptRunner> log
)
{
    public async Task RunAsync(Slot slot, LeaseGrant grant, LeaseSettings settings)
    {
        using var span = WorkerSpans.Attempt(grant, slot.Id, options.Value.Name);
        using var scope = log.BeginScope(
            "{Job} fence {Fence} attempt {Attempt} on {Slot} trace {Trace}",
            grant.JobId,
            grant.Fence,
            grant.Attempt,
            slot.Id,
            FarmTraces.IdOf(grant.TraceParent)
        );
        slot.CurrentJob = grant.JobId;
        AttemptOutcome outcome;
        try
        {
            outcome = await attempt.RunAsync(slot, grant, settings);
        }
        catch (Exception fault)
        {
            outcome = AttemptFault.OutcomeOf(fault, options.Value.FfmpegPath);
            log.AttemptBroke(fault);
        }
        finally
        {
            slot.CurrentJob = null;
        }

        outcome = await ReviewedAsync(slot, outcome);
        var freeAgain = launcher.ConcludeAsync(slot);
        var failed = outcome as AttemptOutcome.Failed;
        metrics.AttemptEnded(grant.Spec.Model, outcome.Name, failed?.Reason);
        if (outcome is AttemptOutcome.LeaseLost { Loss: not LeaseLoss.Unconfirmed and var loss })
        {
            metrics.Discarded(grant.Spec.Model, Word.Of(loss));
        }

        span?.SetTag("renderfarm.outcome", outcome.Name);
        if (failed is null)
        {
            log.AttemptEnded(outcome.Name);
        }
        else
        {
            span?.SetStatus(ActivityStatusCode.Error, failed.Message);
            log.AttemptFailed(outcome.Name, failed.Reason, failed.Message);
        }

        await reporter.ReportAsync(grant.Lease, outcome);
        await freeAgain;
    }

    /// <summary>An encoder that can't write any video has failed its slot, and the job keeps its attempts.</summary>
    private async Task<AttemptOutcome> ReviewedAsync(Slot slot, AttemptOutcome outcome)
    {
        if (outcome is not AttemptOutcome.Failed { Reason: FailureReason.EncoderFailed } || await encoder.ReviewAsync() is not { } refusal)
        {
            return outcome;
        }

        log.SlotAtFault(slot.Id, refusal);
        return new AttemptOutcome.HandedBack(
            ReleaseReason.SlotFault,
            $"The video encoder of slot {slot.Id} can't write a video: {refusal}"
        );
    }
}
