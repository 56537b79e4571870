using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Metrics;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Workers;

/// <summary>
/// <c>/worker/v1</c>: all that a worker knows of the farm. Every report carries the fence of its lease; one that has
/// been overtaken gets 409 <c>lease_lost</c> and must stop.
/// </summary>
public static class LeaseEndpoints
{
    public static RouteGroupBuilder MapLeases(this IEndpointRouteBuilder routes)
    {
        var worker = routes.MapGroup("/worker/v1").WithTags("Worker protocol").RequireScope(Scopes.Worker);
        worker.MapPost("/register", RegisterAsync).WithSummary("Who I am, what I can run");
        worker.MapPost("/leases", LeaseAsync).WithSummary("The best job for this slot; waits for one up to wait_seconds");
        worker.MapPost("/leases/{job}/renew", RenewAsync).WithSummary("Still at work");
        worker.MapPost("/leases/{job}/complete", CompleteAsync).WithSummary("Done; the files are uploaded");
        worker.MapPost("/leases/{job}/fail", FailAsync).WithSummary("This attempt has failed");
        worker.MapPost("/leases/{job}/release", ReleaseAsync).WithSummary("Hand the job back, no attempt burnt");
        return worker;
    }
}
