using System.Net;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Worker.Api;

/// <summary>The API could not be reached, or refused a call.</summary>
/// <param name="status">Null when there was no answer.</param>
/// <param name="code"><c>error.code</c> of the answer, or <see cref="WrongCertificate"/>.</param>
internal sealed class FarmApiException(string message, HttpStatusCode? status, string? code, Exception? inner = null)
    : Exception(message, inner)
{
    public HttpStatusCode? Status { get; } = status;
    public string? Code { get; } = code;

    /// <summary>The same call may work later.</summary>
    public bool IsTransient =>
        Status is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>Of a server that could not show the certificate by which this host knows the farm.</summary>
    public const string WrongCertificate = "wrong_certificate";

    public bool IsWrongCertificate => Code == WrongCertificate;

    /// <summary>Another start of this worker's identity is at work.</summary>
    public bool IsIdentityInUse => Code == "identity_in_use";

    public bool IsWrongKey => Status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;

    /// <summary>The key was this worker's and is not any more: an operator's decision, not an API that has forgotten.</summary>
    public bool IsKeyRevoked => Status == HttpStatusCode.Unauthorized && Code == "key_revoked";

    /// <summary>The API itself, not something before it, says that it has no such job or worker.</summary>
    public bool IsUnknown => Status == HttpStatusCode.NotFound && Code == "not_found";

    /// <summary>
    /// The API is away, or knows this worker's key no more, as with a database restored from before it: what there is to say is kept, and
    /// said again.
    /// </summary>
    public bool MayPass => IsTransient || (IsWrongKey && !IsKeyRevoked);
}

/// <summary>Somebody else holds the job, or nobody does any more: stop at once and touch nothing.</summary>
internal sealed class LeaseLostException(LeaseId lease) : Exception($"the lease {lease} is lost");
