using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary>
/// Requests a minute, per key: a bucket that holds a minute's worth and fills steadily. Each API process counts for
/// itself. Operators' and workers' keys are limited only where their key says so.
/// </summary>
internal sealed class RateLimits(IOptions<KeysOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Bucket> _buckets = [];

    /// <returns>Null: go ahead, and no limit applies.</returns>
    public Admission? Admit(ApiKey key)
    {
        var limit =
            key.Limits.RequestsPerMinute
            ?? (
                (key.Scopes & (KeyScopes.Admin | KeyScopes.Worker)) == 0 && options.Value.RequestsPerMinute > 0
                    ? options.Value.RequestsPerMinute
                    : null
            );
        return limit is { } perMinute ? _buckets.GetOrAdd(key.Id, _ => new Bucket(time)).Take(perMinute) : null;
    }
}

/// <summary>Counts a request against its key, and says how many are left in the headers that the SDKs know.</summary>
internal sealed class RateLimitMiddleware(RequestDelegate next, RateLimits limits)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.User.Identity is not CallerIdentity { Key: var key } || limits.Admit(key) is not { } admission)
        {
            return next(context);
        }

        var headers = context.Response.Headers;
        headers["x-ratelimit-limit-requests"] = admission.Limit.ToString(CultureInfo.InvariantCulture);
        headers["x-ratelimit-remaining-requests"] = admission.Remaining.ToString(CultureInfo.InvariantCulture);
        return admission.Admitted ? next(context) : throw ApiError.RateLimited(admission.Limit, admission.NextIn).AsException();
    }
}
