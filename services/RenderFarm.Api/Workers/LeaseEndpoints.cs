using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Metrics;
using RenderFarm.Api.Tracing;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Results;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;
using RenderFarm.Planning.Cards;

namespace RenderFarm.Api.Workers;

/// <summary>
/// <c>/worker/v1</c>: all that a worker knows of the farm. Every report carries fence and token of its lease; one that has
/// been overtaken gets 409 <c>lease_lost</c> and must stop.
/// </summary>
internal static class LeaseEndpoints
{
    /// <summary>The end of the year 9999.</summary>
    private const long LatestSecond = 253_402_300_799;

    public static RouteGroupBuilder MapLeases(this IEndpointRouteBuilder routes)
    {
        var worker = routes
            .MapGroup("/worker/v1")
            .WithTags("Worker protocol")
            .RequireScope(Scopes.Worker)
            .AddEndpointFilter<SupersededReports>()
            .AddEndpointFilter<LeaseGuard>();
        worker.MapPost("/register", RegisterAsync).WithSummary("Who I am, what I can run");
        worker.MapPost("/goodbye", GoodbyeAsync).WithSummary("I end, and hold nothing");
        worker
            .MapPost("/leases", LeaseAsync)
            .WithSummary("The best job for this slot; waits for one up to wait_seconds")
            .Produces<LeaseGrant>()
            .Produces(204);
        worker.MapPost("/leases/{job}/renew", RenewAsync).WithSummary("Still at work");
        worker
            .MapPost("/leases/{job}/progress", StepReports.TakeAsync)
            .WithSummary("How far the render is, for whoever watches; kept nowhere");
        worker.MapPost("/leases/{job}/complete", CompleteAsync).WithSummary("Done; the files are uploaded");
        worker.MapPost("/leases/{job}/fail", FailAsync).WithSummary("This attempt has failed");
        worker.MapPost("/leases/{job}/release", ReleaseAsync).WithSummary("Hand the job back, no attempt burnt");
        worker.MapGet("/leases/{job}/inputs/{role}", LeaseInputs.GetAsync).WithSummary("An input, where the store has no links of its own");
        worker.MapUploads();
        return worker;
    }

    private static async Task<RegisterWorkerReply> RegisterAsync(
        RegisterWorkerRequest request,
        HttpContext context,
        WorkerRegistry workers,
        SlotQuarantines quarantines,
        LeaseSettings settings,
        CancellationToken cancellationToken
    )
    {
        WorkerClaims.RequireProtocol(request.Protocol, request.Version);
        WorkerClaims.Refuse(!WorkerClaims.IsRandom(request.Identity), "identity", WorkerClaims.IdentityForm);
        WorkerClaims.Refuse(!WorkerClaims.IsRandom(request.Instance), "instance", "must be 32 hex digits, made at random at every start");
        WorkerClaims.Refuse(request.Place is { Length: 0 or > 100 }, "place", "must have 1 to 100 characters, or be left out");
        WorkerLabel.Require(request.Name, "name");
        WorkerLabel.Require(request.Host, "host");
        WorkerLabel.Require(request.Version, "version");
        WorkerClaims.Refuse(request.Slots.Count == 0, "slots", "must hold at least one slot");
        WorkerClaims.Refuse(request.Slots.DistinctBy(slot => slot.Id).Count() < request.Slots.Count, "slots", "holds one id twice");
        for (var index = 0; index < request.Slots.Count; index++)
        {
            var slot = request.Slots[index];
            WorkerLabel.Require(slot.Id, $"slots[{index}].id");
            WorkerLabel.Require(slot.Card, $"slots[{index}].card");
            // A worker of today keeps such a card from work itself, and says so
            var unfit =
                slot is { Kind: SlotKind.Cuda, Quarantine: null } ? CardFitness.WhyNot(slot.Card, slot.ComputeCapability) : null;
            WorkerClaims.Refuse(unfit is not null, $"slots[{index}].card", $"can't be used: {unfit}");
        }

        // An id is part of routing keys, and of paths on the worker's side.
        var odd = request.Models.FirstOrDefault(model => !IsModelId(model.Id));
        WorkerClaims.Refuse(odd is not null, "models", $"holds the id '{odd?.Id}'; letters, digits, '-' and '_' are accepted, 100 at most");
        WorkerClaims.Refuse(
            request.Slots.Any(slot => slot.QuarantinedAt is < 0 or > LatestSecond),
            "slots",
            "holds a quarantined_at that is no time in unix seconds"
        );
        var id = await workers.RegisterAsync(request, context.Caller(), cancellationToken);
        return new RegisterWorkerReply
        {
            WorkerId = id,
            Protocol = WorkerProtocol.Current,
            Settings = settings,
            Slots = [.. (await quarantines.ToResumeAsync(id, cancellationToken)).Select(slot => new SlotOrder(slot, Resume: true))],
        };
    }

    private static async Task<GoodbyeReply> GoodbyeAsync(
        GoodbyeRequest request,
        WorkerRegistry workers,
        CancellationToken cancellationToken
    ) => new(await workers.LeftAsync(request.WorkerId, request.Instance, cancellationToken));

    private static async Task<IResult> LeaseAsync(
        LeaseRequest request,
        HttpContext context,
        LeaseDesk desk,
        LeaseInputs inputs,
        FarmMetrics metrics,
        TimeProvider time,
        IHostApplicationLifetime lifetime
    )
    {
        // A poll ends early when its worker goes away, or when this process is told to stop.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        metrics.PollBegan();
        try
        {
            switch (await desk.LeaseAsync(request, ended.Token))
            {
                case LeaseResult.Granted { Job: var job } when context.RequestAborted.IsCancellationRequested:
                    // Nobody is left to take it; it need not wait for the lease to run out.
                    await desk.ReleaseAsync(
                        new(job.Lease, new ReleaseRequest { Reason = ReleaseReason.Interrupted }),
                        CancellationToken.None
                    );
                    return Results.NoContent();
                case LeaseResult.Granted { Job: var job }:
                    metrics.Leased(job);
                    using (var span = JobSpans.Lease(job, time.GetUtcNow()))
                    {
                        return Results.Ok(
                            await inputs.GrantAsync(job with { TraceParent = span?.Id ?? job.TraceParent }, CancellationToken.None)
                        );
                    }

                case LeaseResult.Superseded { Name: var name, Host: var host }:
                    throw ApiError.IdentityInUse(name, host, WorkerRegistry.LiveFor).AsException();
                case LeaseResult.UnknownWorker:
                    throw ApiError.NotFound("worker or slot", $"{request.WorkerId}/{request.SlotId}").AsException();
                default:
                    return Results.NoContent();
            }
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return Results.NoContent();
        }
        finally
        {
            metrics.PollEnded();
        }
    }

    private static async Task<RenewReply> RenewAsync(
        string job,
        RenewRequest request,
        LeaseDesk desk,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        MeasurementCheck.Require(request.Plan);
        return await desk.RenewAsync(request.About(job), cancellationToken) ?? throw await jobs.LostAsync(job, cancellationToken);
    }

    private static async Task<LeaseOutcome> CompleteAsync(
        string job,
        CompleteRequest request,
        LeaseDesk desk,
        LeaseJournal journal,
        JobStore jobs,
        ResultManifests manifests,
        IArtifactStore artifacts,
        CancellationToken cancellationToken
    )
    {
        using var span = JobSpans.Completion(job);
        var reported = request.About(job);
        MeasurementCheck.Require(request.Measurements);
        UploadCheck.RequireOwnKeys(reported.Lease.Name, request.Artifacts);
        // Only the objects of a lease that stands are looked at: a repeat is told what was recorded, whatever became of them since.
        var open = await journal.OpenAsync(reported.Lease.Name, cancellationToken);
        if (open)
        {
            await UploadCheck.VerifyAsync(artifacts, request.Artifacts, cancellationToken);
            await manifests.WriteAsync(reported, cancellationToken);
        }

        var outcome = await desk.CompleteAsync(reported, cancellationToken) ?? throw await jobs.LostAsync(job, cancellationToken);
        await journal.EndedAsync(open, job, LeaseEnding.Completed, null, request.Measurements, cancellationToken);
        return outcome;
    }

    private static async Task<LeaseOutcome> FailAsync(
        string job,
        FailRequest request,
        LeaseDesk desk,
        LeaseJournal journal,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        MeasurementCheck.Require(request.Measurements);
        var reported = request.About(job);
        var open = await journal.OpenAsync(reported.Lease.Name, cancellationToken);
        var outcome = await desk.FailAsync(reported, cancellationToken) ?? throw await jobs.LostAsync(job, cancellationToken);
        await journal.EndedAsync(open, job, LeaseEnding.Failed, request.Reason, request.Measurements, cancellationToken);
        return outcome;
    }

    private static async Task<LeaseOutcome> ReleaseAsync(
        string job,
        ReleaseRequest request,
        LeaseDesk desk,
        LeaseJournal journal,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var reported = request.About(job);
        var open = await journal.OpenAsync(reported.Lease.Name, cancellationToken);
        var outcome = await desk.ReleaseAsync(reported, cancellationToken) ?? throw await jobs.LostAsync(job, cancellationToken);
        await journal.EndedAsync(open, job, LeaseEnding.Released, null, null, cancellationToken);
        return outcome;
    }

    private static bool IsModelId(string id) => id.Length is > 0 and <= 100 && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
