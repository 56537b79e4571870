using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Workers;

/// <summary>
/// The worker is who its key says. Stands before every call of <c>/worker/v1</c>: a lease that is spoken of, a job that is named without
/// one, and a worker that a body names must be of the caller's own. A report under a lease that is not known goes on: whoever hears it
/// says what has become of it.
/// </summary>
internal sealed class LeaseGuard(WorkerRights rights, JobStore jobs) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        var (http, key) = (context.HttpContext, context.HttpContext.Caller());
        if (http.GetRouteValue("job") is string job)
        {
            // An id is part of object keys: what has not its form names no job, and goes no further.
            if (!JobIds.IsId(job))
            {
                throw ApiError.NotFound("video", job).AsException();
            }

            var report = context.Arguments.OfType<LeaseReport>().SingleOrDefault();
            await (report is null ? RequireJobAsync(key, job, http) : RequireLeaseAsync(key, report.About(job).Lease, http));
        }

        foreach (var request in context.Arguments.OfType<IWorkerCall>())
        {
            await RequireWorkerAsync(key, request, http);
        }

        return await next(context);
    }

    private async Task RequireLeaseAsync(ApiKey key, LeaseId lease, HttpContext http) =>
        Refuse(
            await rights.OfLeaseAsync(key, lease, http.RequestAborted),
            ApiError.WrongWorker($"The lease of job '{lease.JobId}' under this token is another worker's.")
        );

    private async Task RequireJobAsync(ApiKey key, string job, HttpContext http)
    {
        var right = await rights.OfJobAsync(key, job, http.RequestAborted);
        Refuse(right, ApiError.WrongWorker($"Job '{job}' is held by another worker."));
        if (right == WorkerRight.Unknown)
        {
            throw (await jobs.ExistsAsync(job, http.RequestAborted) ? ApiError.LeaseLost(job) : ApiError.NotFound("video", job))
                .AsException();
        }
    }

    private async Task RequireWorkerAsync(ApiKey key, IWorkerCall request, HttpContext http) =>
        Refuse(
            await rights.OfWorkerAsync(key, request.WorkerId, request.Instance, http.RequestAborted),
            ApiError.WrongWorker($"Worker '{request.WorkerId}' is not one that registered with this key.", "worker_id")
        );

    private static void Refuse(WorkerRight right, ApiError others)
    {
        switch (right)
        {
            case WorkerRight.Others:
                throw others.AsException();
            case WorkerRight.Revoked:
                throw ApiError.WorkerRevoked("This worker has been revoked").AsException();
        }
    }
}
