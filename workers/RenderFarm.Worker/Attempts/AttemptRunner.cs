using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The outer layer of an attempt: it never throws, and every lease it is given comes to exactly one ending. The slot is
/// free when it returns; a finished video's upload goes on in the spool.
/// </summary>
public sealed class AttemptRunner(
    IOptions<WorkerOptions> options,
    FarmApi api,
    ModelCatalog catalog,
    AttemptPlanner planner,
    RendererLauncher launcher,
    RenderAttempt attempt,
    AttemptReporter reporter,
    UploadSpool spool,
    RunningLeases running,
    WorkerDrain drain,
    WorkerMetrics metrics,
    TimeProvider time,
    ILogger<AttemptRunner> log,
    ILogger<LeaseKeeper> leaseLog
)
{
    private const int NoSpaceLeft = 28;

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
            outcome = await EndAsync(slot, grant, settings);
        }
        catch (Exception fault)
        {
            outcome = OutcomeOf(fault);
            log.LogError(fault, "The attempt failed on the worker's side");
        }
        finally
        {
            slot.CurrentJob = null;
        }

        var freeAgain = launcher.ConcludeAsync(slot);
        var failed = outcome as AttemptOutcome.Failed;
        metrics.AttemptEnded(grant.Spec.Model, outcome.Name, failed?.Reason);
        if (failed is null)
        {
            log.LogInformation("Attempt ended: {Outcome}", outcome.Name);
        }
        else
        {
            log.LogWarning("Attempt {Outcome}: {Reason}, {Message}", outcome.Name, failed.Reason, failed.Message);
        }

        await reporter.ReportAsync(grant.Lease, outcome);
        await freeAgain;
    }

    private async Task<AttemptOutcome> EndAsync(Slot slot, LeaseGrant grant, LeaseSettings settings)
    {
        var leasedAt = time.GetTimestamp();
        if (!catalog.Models.TryGetValue(grant.Spec.Model, out var model))
        {
            return new AttemptOutcome.Failed(FailureReason.ModelUnavailable, $"this worker has no model '{grant.Spec.Model}' (any more)");
        }

        var lease = new LeaseKeeper(
            api,
            grant.Lease,
            grant.LeaseSeconds,
            settings,
            new LeaseProgress(RenderStage.Loading, 0, grant.Spec.Steps),
            strict: true,
            time,
            metrics,
            leaseLog
        );
        await using (lease)
        using (running.Add(grant.Lease, lease))
        using (var folder = AttemptFolder.Create(options.Value.AttemptsDirectory, grant.Lease))
        {
            var outcome = await RunUnderLeaseAsync(slot, grant, model, folder, lease, leasedAt, settings);
            drain.OrderedByFarm = lease.DrainOrdered;
            return outcome;
        }
    }

    private async Task<AttemptOutcome> RunUnderLeaseAsync(
        Slot slot,
        LeaseGrant grant,
        InstalledModel model,
        AttemptFolder folder,
        LeaseKeeper lease,
        long leasedAt,
        LeaseSettings settings
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(lease.Lost, lease.Cancelled, drain.HandBack);
        PlanResult planned;
        try
        {
            await lease.Confirmed.WaitAsync(stop.Token);
            planned = await planner.PlanAsync(grant, model, slot, stop.Token);
        }
        catch (OperationCanceledException)
        {
            return lease.Lost.IsCancellationRequested ? new AttemptOutcome.LeaseLost()
                : lease.Cancelled.IsCancellationRequested ? new AttemptOutcome.Failed(FailureReason.Cancelled, "the job was cancelled")
                : new AttemptOutcome.HandedBack("interrupted");
        }

        if (planned.Plan is not { } plan)
        {
            return new AttemptOutcome.Failed(
                FailureReason.PlanDoesNotFit,
                planned.Refusal?.Message ?? "no plan fits this slot as it is now"
            );
        }

        metrics.Planned(slot, grant.Spec.Model, plan);
        lease.Planned(plan);

        var record = new AttemptRecord(grant.Spec.Model, leasedAt, time, metrics);
        var outcome = await attempt.RunAsync(slot, grant, model, plan, folder, lease, record, drain.HandBack);
        // Into the spool while the lease is still being renewed: the upload's own renewals take over from here
        if (outcome is AttemptOutcome.Rendered rendered)
        {
            spool.Accept(rendered.Folder, rendered.Manifest, settings);
        }

        return outcome;
    }

    private AttemptOutcome.Failed OutcomeOf(Exception fault) =>
        fault switch
        {
            IOException full when full.HResult == NoSpaceLeft || full.Message.Contains("No space left", StringComparison.Ordinal) =>
                new AttemptOutcome.Failed(FailureReason.DiskFull, $"the worker's disk is full: {full.Message}"),
            FileNotFoundException missing when missing.FileName == options.Value.FfmpegPath => new AttemptOutcome.Failed(
                FailureReason.EncoderFailed,
                FfmpegFault.Missing(options.Value.FfmpegPath).Message
            ),
            FarmApiException unreachable => new AttemptOutcome.Failed(FailureReason.Transient, unreachable.Message),
            _ => new AttemptOutcome.Failed(
                FailureReason.Transient,
                $"the worker could not run the attempt: {fault.Message}",
                LogTail: fault.ToString()
            ),
        };
}
