using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Errors;
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

    private sealed class Bucket(TimeProvider time)
    {
        private readonly Lock _gate = new();
        private double _left = double.NaN;
        private long _at;

        public Admission Take(int perMinute)
        {
            lock (_gate)
            {
                var perSecond = perMinute / 60.0;
                _left = double.IsNaN(_left) ? perMinute : Math.Min(perMinute, _left + (time.GetElapsedTime(_at).TotalSeconds * perSecond));
                _at = time.GetTimestamp();
                var admitted = _left >= 1;
                _left -= admitted ? 1 : 0;
                return new Admission(admitted, perMinute, (int)_left, TimeSpan.FromSeconds(_left >= 1 ? 0 : (1 - _left) / perSecond));
            }
        }
    }
}

/// <param name="NextIn">When the next request will be taken.</param>
internal readonly record struct Admission(bool Admitted, int Limit, int Remaining, TimeSpan NextIn);

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
