using RenderFarm.Artifacts;
using RenderFarm.Hosting.Folders;
using RenderFarm.Jobs.Enrolment;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Errors;

/// <summary>What an exception of the farm's own means to a client, whichever door it came through.</summary>
internal static class Refusals
{
    public static ApiError Of(Exception exception, DateTimeOffset now) =>
        exception switch
        {
            ApiErrorException refused => refused.Error,
            QuotaExceededException exceeded => ApiError.QuotaExceeded(exceeded, now),
            IdentityInUseException used => ApiError.IdentityInUse(used.Name, used.Host, used.GoneIn),
            WrongWorkerException wrong => ApiError.WrongWorker(wrong.Message),
            WorkerRevokedException revoked => ApiError.WorkerRevoked($"{char.ToUpperInvariant(revoked.Message[0])}{revoked.Message[1..]}"),
            InvalidInvitationException => ApiError.InvalidInvitation(),
            StoreUnavailableException away => ApiError.Unavailable("The job store") with { RetryAfter = away.RetryAfter },
            ArtifactNotFoundException => ApiError.StoredFileGone(),
            UploadEndedException => ApiError.UploadEnded(),
            ArtifactExistsException there => ApiError.WrongState(there.Message + "."),
            ArtifactStoreException { IsTransient: true } => ApiError.Unavailable("The artifact store"),
            LocalDiskException => ApiError.NoRoom(),
            _ when DiskTrouble.Is(exception) => ApiError.NoRoom(),
            _ => ApiError.Internal(),
        };
}
