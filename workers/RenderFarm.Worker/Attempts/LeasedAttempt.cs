using RenderFarm.Contracts.Leases;
using RenderFarm.Planning;
using RenderFarm.Worker.Metrics;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Stopping;
using RenderFarm.Worker.Tracing;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The inner layer of an attempt, from a granted lease to a named outcome: 1 the model, 2 lease and folder, 3 a confirmed
/// lease and a plan, 4 the render, 5 into the spool.
/// </summary>
internal sealed class LeasedAttempt(
    ModelCatalog catalog,
    AttemptContexts contexts,
    AttemptPlanner planner,
    RenderAttempt render,
    UploadSpool spool,
    WorkerDrain drain,
    WorkerMetrics metrics
)
{
    public async Task<AttemptOutcome> RunAsync(Slot slot, LeaseGrant grant, LeaseSettings settings)
    {
        // 1
        if (!catalog.Models.TryGetValue(grant.Spec.Model, out var model))
        {
            return new AttemptOutcome.Failed(FailureReason.ModelUnavailable, $"this worker has no model '{grant.Spec.Model}' (any more)");
        }

        // 2
        await using var attempt = await contexts.OpenAsync(slot, grant, model, settings);
        var outcome = await RunUnderLeaseAsync(attempt, settings);
        drain.OrderedByFarm = attempt.Lease.DrainOrdered;
        return outcome;
    }

    private async Task<AttemptOutcome> RunUnderLeaseAsync(AttemptContext attempt, LeaseSettings settings)
    {
        // 3
        PlanResult planned;
        try
        {
            using var span = WorkerSpans.Part("plan");
            await attempt.Lease.Confirmed.WaitAsync(attempt.Stop);
            planned = await planner.PlanAsync(attempt.Grant, attempt.Model, attempt.Slot, attempt.Stop);
        }
        catch (OperationCanceledException)
        {
            return attempt.Interrupted();
        }

        if (planned.Plan is not { } plan)
        {
            return new AttemptOutcome.Failed(
                FailureReason.PlanDoesNotFit,
                planned.Refusal?.Message ?? "no plan fits this slot as it is now"
            );
        }

        metrics.Planned(attempt.Slot, attempt.Grant.Spec.Model, plan);
        attempt.Lease.Planned(plan);

        // 4
        var outcome = await render.RunAsync(attempt, plan);

        // 5: while the lease is still being renewed, since the upload's own renewals take over from here
        if (outcome is AttemptOutcome.Rendered rendered)
        {
            spool.Accept(rendered.Folder, rendered.Manifest, settings);
        }

        return outcome;
    }
}
