using System.Data.Common;
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

    /// <summary>What the database's own client says; around it lie words about trying again.</summary>
    public string Cause
    {
        get
        {
            for (Exception? cause = this; cause is not null; cause = cause.InnerException)
            {
                if (cause is DbException said)
                {
                    return said is { InnerException: { } inner } ? $"{said.Message}: {inner.Message}" : said.Message;
                }
            }

            return InnerException?.Message ?? Message;
        }
    }

    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(2);
}
