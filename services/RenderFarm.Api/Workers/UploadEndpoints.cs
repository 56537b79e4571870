using RenderFarm.Api.Requests;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Workers;

/// <summary><c>/worker/v1/leases/{job}/uploads</c>: how files of a lease reach the store from a host that has no key of it.</summary>
internal static class UploadEndpoints
{
    /// <param name="worker">The worker protocol's own group, with all that stands before each of its calls.</param>
    public static void MapUploads(this RouteGroupBuilder worker)
    {
        worker.MapPost("/leases/{job}/uploads", BeginAsync).WithSummary("Links to store a file by; asked again, the upload goes on");
        worker
            .MapPut("/leases/{job}/uploads/{id}/parts/{number:int}", PutAsync)
            .WithBodyLimit(UploadRequest.PartBytes)
            .WithSummary("A part, where the store has no links of its own");
        worker.MapPost("/leases/{job}/uploads/{id}/complete", CompleteAsync).WithSummary("Every part is there: nothing changes it now");
    }

    private static async Task<UploadReply> BeginAsync(
        string job,
        UploadRequest request,
        LeaseUploads uploads,
        LeaseDesk desk,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var lease = request.About(job).Lease;
        await RequireStandingAsync(lease, desk, jobs, cancellationToken);
        return await uploads.BeginAsync(lease, request, cancellationToken);
    }

    private static async Task<IResult> PutAsync(
        string job,
        string id,
        int number,
        PartReport report,
        HttpContext context,
        LeaseUploads uploads,
        LeaseDesk desk,
        JobStore jobs
    )
    {
        var lease = report.About(job).Lease;
        await RequireStandingAsync(lease, desk, jobs, context.RequestAborted);
        var etag = await uploads.ReceiveAsync(lease, id, number, report.Md5, context.Request.Wire(), context.RequestAborted);
        context.Response.Headers.ETag = $"\"{etag}\"";
        return Results.Ok();
    }

    private static async Task<UploadedObject> CompleteAsync(
        string job,
        string id,
        UploadCompleteRequest request,
        LeaseUploads uploads,
        LeaseDesk desk,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var lease = request.About(job).Lease;
        await RequireStandingAsync(lease, desk, jobs, cancellationToken);
        return await uploads.CompleteAsync(lease, id, request.Etags, cancellationToken);
    }

    /// <summary>Held, or lost and still to be had back: what would be refused at the end is not taken in the first place.</summary>
    private static async Task RequireStandingAsync(LeaseId lease, LeaseDesk desk, JobStore jobs, CancellationToken cancellationToken)
    {
        if (!await desk.StandsAsync(lease, cancellationToken))
        {
            throw await jobs.LostAsync(lease.JobId, cancellationToken);
        }
    }
}
