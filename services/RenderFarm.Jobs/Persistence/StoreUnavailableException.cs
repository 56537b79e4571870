using RenderFarm.Hosting.Loops;

namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// The job store can't be reached or is too busy just now. Nothing was decided; try again after <see cref="RetryAfter"/>.
/// </summary>
public sealed class StoreUnavailableException : Exception, IOutage
{
    public StoreUnavailableException(string message, Exception inner)
        : base(message, inner) { }

    public StoreUnavailableException() { }

    public StoreUnavailableException(string message)
        : base(message) { }

    public string Cause => InnerException?.Message ?? Message;

    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(2);
}
