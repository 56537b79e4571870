using RenderFarm.Api.Errors;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Workers;

/// <summary>What a worker is told whose lease does not stand.</summary>
internal static class LeaseRefusals
{
    /// <summary>
    /// A job that this database does not hold was not lost to anybody: it may be an older one, restored, and what its worker has made
    /// the only copy.
    /// </summary>
    public static async Task<ApiErrorException> LostAsync(this JobStore jobs, string job, CancellationToken cancellationToken) =>
        (await jobs.ExistsAsync(job, cancellationToken) ? ApiError.LeaseLost(job) : ApiError.NotFound("video", job)).AsException();
}
