namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// Threads of the pool for a while in which the server may have frozen. Npgsql asks for the end of a statement that takes too long on
/// the thread at hand, and waits: such a server holds as many threads as the pool has connections, while the answers that say so need
/// some too. They aren't there always: so many at once take turns on few processors, which costs every request an eighth of its time.
/// </summary>
internal static class SpareThreads
{
    private const int Count = 256;

    /// <summary>Longer than any request waits for the server.</summary>
    private static readonly TimeSpan While = TimeSpan.FromSeconds(30);
    private static readonly Lock Gate = new();
    private static readonly Timer End = new(_ => Dismiss());
    private static (int Workers, int Completions)? _usual;

    /// <summary>From now on the pool makes threads as they are needed, and no more than usual once nobody has called for a while.</summary>
    public static void Call()
    {
        lock (Gate)
        {
            if (_usual is null)
            {
                ThreadPool.GetMinThreads(out var workers, out var completions);
                _usual = (workers, completions);
                ThreadPool.SetMinThreads(Math.Max(Count, workers), Math.Max(Count, completions));
            }

            End.Change(While, Timeout.InfiniteTimeSpan);
        }
    }

    private static void Dismiss()
    {
        lock (Gate)
        {
            if (_usual is var (workers, completions))
            {
                ThreadPool.SetMinThreads(workers, completions);
                _usual = null;
            }
        }
    }
}
