using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Hosting;

/// <summary>
/// Whether <see cref="Preparation"/> is through. The API listens from its first moment on, so that whoever comes before the
/// job store does is told to come again and not that nobody is here; nothing of its own touches the store until then.
/// </summary>
internal sealed class Readiness
{
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _waiting = "The API is starting.";

    /// <summary>What it is that isn't there yet; null when everything is.</summary>
    public string? Waiting => _waiting;

    /// <summary>Background duties begin with this. False: told to stop before it came to that, as by a start that fails.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _prepared.Task.WaitAsync(cancellationToken);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    internal void WaitsFor(string what) => _waiting = what;

    internal void IsThere()
    {
        _waiting = null;
        _prepared.TrySetResult();
    }
}

/// <summary>Until then every request that needs the store is answered as in any other absence of it: 503 and when to come again.</summary>
internal sealed class ReadinessMiddleware(RequestDelegate next, Readiness readiness)
{
    public Task InvokeAsync(HttpContext context) =>
        readiness.Waiting is { } why && NeedsStore(context.Request.Path) ? throw new StoreUnavailableException(why) : next(context);

    private static bool NeedsStore(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.Ordinal)
        || path.StartsWithSegments("/worker", StringComparison.Ordinal)
        || path.StartsWithSegments("/sign-in", StringComparison.Ordinal)
        || path.StartsWithSegments("/sign-out", StringComparison.Ordinal);
}
