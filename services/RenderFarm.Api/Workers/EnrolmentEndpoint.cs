using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Enrolment;

namespace RenderFarm.Api.Workers;

/// <summary><c>/worker/v1/enroll</c>: an invitation in, a worker with a key of its own out.</summary>
internal static class EnrolmentEndpoint
{
    public static void MapEnrolment(this IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/worker/v1/enroll", EnrollAsync)
            .WithTags("Worker protocol")
            .WithSummary("A host becomes a worker, by an invitation; needs no key. The same secret again is the same enrolment");

    private static async Task<EnrollReply> EnrollAsync(
        EnrollRequest request,
        HttpContext context,
        Enrolments enrolments,
        IWorkerBroker broker,
        WrongKeys wrong,
        CancellationToken cancellationToken
    )
    {
        WorkerClaims.RequireProtocol(request.Protocol, request.Version);
        WorkerClaims.Refuse(!WorkerClaims.IsRandom(request.Identity), "identity", WorkerClaims.IdentityForm);
        WorkerClaims.Refuse(
            !IsSecret(request.Secret),
            "secret",
            $"must be '{EnrollRequest.SecretPrefix}' and {EnrollRequest.SecretDigits} hex digits, made at random by the worker"
        );
        WorkerLabel.Require(request.Name, "name");
        WorkerLabel.Require(request.Host, "host");
        WorkerLabel.Require(request.Version, "version");
        // Who guesses tokens is held back as one who guesses keys is.
        var address = context.Connection.RemoteIpAddress;
        if (wrong.RefusalOf(address) is { } refusal)
        {
            throw ApiError.TooManyWrongKeys(refusal.Limit, refusal.NextIn).AsException();
        }

        try
        {
            var worker = await enrolments.EnrollAsync(request, cancellationToken);
            var bus = await broker.AdmitAsync(worker, cancellationToken);
            return new EnrollReply
            {
                WorkerId = worker,
                Bus = bus is null ? null : new WorkerBus(bus.AbsoluteUri),
                Protocol = WorkerProtocol.Current,
            };
        }
        catch (InvalidInvitationException)
        {
            wrong.Note(address);
            throw;
        }
    }

    private static bool IsSecret(string secret) =>
        secret.StartsWith(EnrollRequest.SecretPrefix, StringComparison.Ordinal)
        && secret.Length == EnrollRequest.SecretPrefix.Length + EnrollRequest.SecretDigits
        && secret[EnrollRequest.SecretPrefix.Length..].All(char.IsAsciiHexDigitLower);
}
