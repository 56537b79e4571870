using RenderFarm.Api.Errors;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Workers;

/// <summary>Gives workers the input files of a job as links: the store's own, or one to this API where it has none.</summary>
internal sealed class LeaseInputs(IArtifactStore artifacts)
{
    /// <summary>A worker fetches its inputs at once; the rest is for one that starts over.</summary>
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(1);

    public async Task<LeaseGrant> GrantAsync(LeasedJob job, CancellationToken cancellationToken)
    {
        var inputs = new List<JobInput>();
        foreach (var input in job.Inputs)
        {
            var link = await artifacts.PresignGetAsync(input.Key, LinkLifetime, LinkReach.Worker, null, cancellationToken);
            inputs.Add(
                new JobInput(
                    input.Role,
                    link?.AbsoluteUri ?? $"/worker/v1/leases/{job.Id}/inputs/{input.Role}",
                    input.ContentType,
                    input.SizeBytes,
                    input.Sha256
                )
            );
        }

        return new LeaseGrant
        {
            JobId = job.Id,
            Fence = job.Fence,
            Token = job.Lease.Token,
            Attempt = job.Attempt,
            StepDowns = job.StepDowns,
            LeaseSeconds = job.LeaseSeconds,
            Spec = job.Spec,
            Inputs = inputs,
            Correction = job.Corrections.OfModel,
            KindCorrections = job.Corrections.OfKinds,
            TraceParent = job.TraceParent,
        };
    }

    public static async Task<IResult> GetAsync(
        string job,
        string role,
        JobStore jobs,
        IArtifactStore artifacts,
        CancellationToken cancellationToken
    )
    {
        var found = await jobs.GetAsync(job, JobScope.All, cancellationToken) ?? throw ApiError.NotFound("video", job).AsException();
        var input = found.Inputs.FirstOrDefault(i => i.Role == role) ?? throw ApiError.NotFound("input", role).AsException();
        return Results.Stream(await artifacts.OpenReadAsync(input.Key, null, cancellationToken), input.ContentType);
    }
}
