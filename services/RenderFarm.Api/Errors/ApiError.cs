using System.Globalization;
using RenderFarm.Contracts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Errors;

/// <summary>A refusal as the client sees it. Thrown as <see cref="ApiErrorException"/>, written by <see cref="ErrorMiddleware"/>.</summary>
/// <param name="Param">The field at fault, in the spelling of the request; null when it is not one field's fault.</param>
internal sealed record ApiError(int Status, string Code, string Message, string? Param = null)
{
    /// <summary>Nobody knows when a queue moves; this is when to look again.</summary>
    private static readonly TimeSpan QueuePause = TimeSpan.FromSeconds(15);

    private const string LeaseLostCode = "lease_lost";

    /// <summary>A worker spoke under a lease that is not its job's any more.</summary>
    public bool IsLeaseLost => Code == LeaseLostCode;

    /// <summary>Sent as <c>Retry-After</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A conflict that is a fact: the same request can never succeed, and SDKs must not repeat it by themselves.</summary>
    public bool NeverRetry { get; init; }

    /// <summary>What is wrong with which line of a batch.</summary>
    public IReadOnlyList<LineFault>? Lines { get; init; }

    public ApiErrorException AsException() => new(this);

    public static ApiError Malformed(string message, string? param = null) => new(400, "invalid_request", message, param);

    public static ApiError InvalidValue(string param, string message) => new(400, "invalid_value", message, param);

    public static ApiError UnknownWord(UnknownWordException unknown)
    {
        var field = unknown.Path is ['$', '.', .. var path] ? path : "body";
        return InvalidValue(field, $"'{field}' {unknown.Why}.");
    }

    public static ApiError UnknownParameter(string param, string? nearest) =>
        new(
            400,
            "unknown_parameter",
            nearest is null ? $"There is no parameter '{param}'." : $"There is no parameter '{param}'; the nearest one is '{nearest}'.",
            param
        );

    public static ApiError UnknownModel(string model, IEnumerable<string> known)
    {
        var list = string.Join(", ", known);
        return new(
            400,
            "unknown_model",
            list.Length == 0
                ? $"No worker has registered a model '{model}', nor any other model yet. Start a worker that has it."
                : $"There is no model '{model}'. Known: {list}.",
            "model"
        );
    }

    public static ApiError UnsupportedImage(string param, string message) => new(400, "unsupported_image", message, param);

    public static ApiError InvalidApiKey(string message) => new(401, "invalid_api_key", message);

    public static ApiError SessionOver() =>
        new(401, "session_over", "You are not signed in any more: the session is over, or its key was revoked. Sign in again at /sign-in.");

    public static ApiError NotFromThePage(string header) =>
        new(
            403,
            "not_from_the_page",
            $"A cookie counts for what changes something only from the farm's own page: with its word in '{header}', from its own origin. "
                + "Programs send an API key."
        )
        {
            NeverRetry = true,
        };

    public static ApiError KeyRevoked() =>
        new(
            401,
            "key_revoked",
            "This API key works no more: it was revoked, its time is over, or its secret was replaced. Ask an administrator for another."
        )
        {
            NeverRetry = true,
        };

    public static ApiError WorkerRevoked(string what) =>
        new(401, "key_revoked", $"{what}. Stop at once; an administrator's invitation (./farm workers invite) brings a worker back.")
        {
            NeverRetry = true,
        };

    /// <summary>Which of the reasons it is nobody is told.</summary>
    public static ApiError InvalidInvitation() =>
        new(
            401,
            "invalid_invitation",
            "This invitation is not good: it is unknown, over or used up. Ask an administrator for another one (./farm workers invite)."
        )
        {
            NeverRetry = true,
        };

    public static ApiError MissingScope(string scope) =>
        new(403, "missing_scope", $"This API key lacks the scope '{scope}'. Ask an administrator for a key that has it.");

    /// <param name="what">Whose it is that the key was used for.</param>
    public static ApiError WrongWorker(string what, string? param = null) =>
        new(403, "wrong_worker", $"{what} An API key speaks for the workers that registered with it, and for no others.", param);

    public static ApiError PriorityAboveCeiling(int ceiling) =>
        new(403, "priority_above_ceiling", $"This API key may ask for a priority of at most {Text(ceiling)}.", "priority");

    public static ApiError NotFound(string what, string id) => new(404, "not_found", $"There is no {what} '{id}'.");

    public static ApiError NoRoute(string method, string path) =>
        new(404, "not_found", $"There is nothing at {method} {path}. See /openapi/v1.json.");

    public static ApiError Expired(string id) =>
        new(404, "expired", $"The files of video '{id}' have been removed: its time was over. Its record is kept.");

    public static ApiError StoredFileGone() => new(404, "not_found", "The stored file is gone: it was removed, or never got there whole.");

    public static ApiError IdempotencyConflict() =>
        new(409, "idempotency_conflict", "This Idempotency-Key was used with another request before. Take a new key for a new request.")
        {
            NeverRetry = true,
        };

    public static ApiError WrongState(string message) => new(409, "wrong_state", message) { NeverRetry = true };

    public static ApiError CountChanged(int expected, int matched) =>
        new(
            409,
            "count_changed",
            $"{Text(matched)} videos match by now, not {Text(expected)}: nothing was done. Look again, and send the new count.",
            "expected"
        )
        {
            NeverRetry = true,
        };

    public static ApiError ContentNotReady(string id, string status) =>
        new(409, "content_not_ready", $"Video '{id}' is {status}; it has no content to download.") { NeverRetry = true };

    /// <summary>What is stored is not what was recorded: nobody is given half of it, or more than it.</summary>
    public static ApiError ContentDamaged(string id, long stored, long recorded) =>
        new(
            409,
            "content_damaged",
            $"The stored file of video '{id}' has {Text(stored)} bytes, not the {Text(recorded)} that were recorded; it is not sent. "
                + "Submit the video again."
        )
        {
            NeverRetry = true,
        };

    public static ApiError LeaseLost(string job) =>
        new(409, LeaseLostCode, $"Job '{job}' is not held under this fence and token any more. Stop at once.") { NeverRetry = true };

    public static ApiError UploadEnded() =>
        new(409, "upload_ended", "There is no such upload, or no more. Ask for it again at …/uploads: it goes on, or begins anew.");

    /// <param name="goneIn">How long the other has to be silent.</param>
    public static ApiError IdentityInUse(string name, string host, TimeSpan goneIn) =>
        new(
            409,
            "identity_in_use",
            $"This worker has the identity of worker '{name}' on host {host}, which is at work. If its data directory is a copy, delete "
                + "the file 'identity' in the copy and start it again: it becomes a worker of its own. If the other one was "
                + $"stopped, wait: it counts as gone in {Text((long)Math.Ceiling(Math.Max(0, goneIn.TotalSeconds)))} s."
        )
        {
            RetryAfter = goneIn > TimeSpan.FromSeconds(1) ? goneIn : TimeSpan.FromSeconds(1),
        };

    public static ApiError ProtocolTooOld(int protocol, string version) =>
        new(
            426,
            "protocol_too_old",
            $"This worker (version {version}) speaks worker protocol {Text(Math.Max(1, protocol))}, and this API "
                + $"{Text(WorkerProtocol.Oldest)} to {Text(WorkerProtocol.Current)}: install version {FarmVersion.Full} on the "
                + "worker's host and start it again."
        )
        {
            NeverRetry = true,
        };

    public static ApiError TooLarge(long limitBytes) =>
        new(413, "too_large", $"The request body is larger than {Text(limitBytes)} bytes, the most that is accepted here.");

    public static ApiError PartTooLarge(string param, long limitBytes) =>
        new(413, "too_large", $"'{param}' is larger than {Text(limitBytes)} bytes, the most that is accepted for it.", param);

    public static ApiError UnsupportedMediaType(string? got, string accepted) =>
        new(415, "unsupported_media_type", $"Content-Type '{got ?? "(none)"}' is not read here; send {accepted}.");

    public static ApiError MethodNotAllowed(string method, string allowed) =>
        new(405, "method_not_allowed", $"{method} is not possible here; allowed: {allowed}.");

    public static ApiError PlanDoesNotFit(string message) => new(422, "plan_does_not_fit", message, "plan");

    public static ApiError RateLimited(int perMinute, TimeSpan nextIn) =>
        new(
            429,
            "rate_limited",
            $"This API key may send {Text(perMinute)} requests a minute. The next one is taken in "
                + $"{Text((long)Math.Ceiling(nextIn.TotalSeconds))} s."
        )
        {
            RetryAfter = nextIn,
        };

    public static ApiError TooManyWrongKeys(int perMinute, TimeSpan nextIn) =>
        new(
            429,
            "rate_limited",
            $"More than {Text(perMinute)} wrong API keys a minute have come from this address; unknown keys are looked up again in "
                + $"{Text((long)Math.Ceiling(nextIn.TotalSeconds))} s."
        )
        {
            RetryAfter = nextIn,
        };

    public static ApiError TooManyStreams(int most) =>
        new(
            429,
            "too_many_streams",
            $"This API key has {Text(most)} event streams open here, the most it may. Close one; GET /v1/events tells of all its videos in "
                + "one stream."
        )
        {
            RetryAfter = QueuePause,
        };

    /// <param name="now">For the time until it frees.</param>
    public static ApiError QuotaExceeded(QuotaExceededException exceeded, DateTimeOffset now) =>
        exceeded switch
        {
            { Quota: Quota.PerDay, Frees: { } frees } => new(
                429,
                "quota_exceeded",
                $"This API key may submit {Text(exceeded.Limit)} videos a day (quota 'per_day'). It frees at midnight UTC: "
                    + $"{frees.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}."
            )
            {
                RetryAfter = frees - now,
                NeverRetry = true,
            },
            _ => new(
                429,
                "quota_exceeded",
                $"This API key may have {Text(exceeded.Limit)} videos waiting (quota 'queued'). It frees when one of them starts or is "
                    + "cancelled."
            )
            {
                RetryAfter = QueuePause,
            },
        };

    public static ApiError NotSupported(string message) => new(501, "not_supported", message) { NeverRetry = true };

    public static ApiError Unavailable(string what) =>
        new(503, "unavailable", $"{what} is not answering at the moment. Try again shortly.") { RetryAfter = TimeSpan.FromSeconds(2) };

    /// <summary>Of the host's own disk, not of the store's.</summary>
    public static ApiError NoRoom() =>
        new(503, "unavailable", "The API's disk can't take this at the moment. Try again later.") { RetryAfter = TimeSpan.FromSeconds(30) };

    public static ApiError Internal() =>
        new(500, "internal_error", "Something went wrong inside the farm. The request id in x-request-id finds it in the log.");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <param name="Line">Numbered from 1.</param>
internal sealed record LineFault(int Line, string Code, string? Param, string Message);

/// <summary>Carries an <see cref="ApiError"/> out of a handler.</summary>
internal sealed class ApiErrorException(ApiError error) : Exception(error.Message)
{
    public ApiError Error { get; } = error;
}
