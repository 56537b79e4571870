using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The outer layer of an attempt: it never throws, and every lease it is given comes to exactly one ending. The slot is
/// free when it returns; a finished video's upload goes on in the spool.
/// </summary>
internal sealed class AttemptRunner(
    IOptions<WorkerOptions> options,
    LeasedAttempt attempt,
    RendererLauncher launcher,
    AttemptReporter reporter,
    WorkerMetrics metrics,
    ILogger<AttemptRunner> log
)
{
    public async Task RunAsync(Slot slot, LeaseGrant grant, LeaseSettings settings)
    {
        using var scope = log.BeginScope(
            "{Job} fence {Fence} attempt {Attempt} on {Slot}",
            grant.JobId,
            grant.Fence,
            grant.Attempt,
            slot.Id
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

        var freeAgain = launcher.ConcludeAsync(slot);
        var failed = outcome as AttemptOutcome.Failed;
        metrics.AttemptEnded(grant.Spec.Model, outcome.Name, failed?.Reason);
        if (outcome is AttemptOutcome.LeaseLost { Loss: not LeaseLoss.Unconfirmed and var loss })
        {
            metrics.Discarded(grant.Spec.Model, Word.Of(loss));
        }

        if (failed is null)
        {
            log.AttemptEnded(outcome.Name);
        }
        else
        {
            log.AttemptFailed(outcome.Name, failed.Reason, failed.Message);
        }

        await reporter.ReportAsync(grant.Lease, outcome);
        await freeAgain;
    }
}
