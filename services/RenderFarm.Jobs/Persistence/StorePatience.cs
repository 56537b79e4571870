namespace RenderFarm.Jobs.Persistence;

/// <summary>
/// How long PostgreSQL may take over a piece of work before it counts as away. A server that has frozen says nothing and breaks no
/// connection: only a bound finds out.
/// </summary>
/// <param name="Statement">For each statement.</param>
/// <param name="Whole">For all of it, with the wait for a connection: whoever waits for it is let go then, whatever it hangs on.</param>
public sealed record StorePatience(TimeSpan Statement, TimeSpan Whole)
{
    /// <summary><see cref="Whole"/>, as the time in which nothing is wrong yet and the time after it.</summary>
    internal (TimeSpan Usual, TimeSpan Beyond) Parts =>
        Whole == Timeout.InfiniteTimeSpan ? (Slow, Whole)
        : Whole <= Slow ? (Whole, TimeSpan.Zero)
        : (Slow, Whole - Slow);

    /// <summary>
    /// Somebody waits for the answer, and is told to come again within 3 s. Every statement of a request takes milliseconds.
    /// </summary>
    public static readonly StorePatience Request = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2.5));

    /// <summary>A pass of a loop, which may look at many rows.</summary>
    public static readonly StorePatience Pass = new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));

    /// <summary>Thousands of rows that are written or counted as one.</summary>
    public static readonly StorePatience Many = new(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5));

    /// <summary>One may have to wait for another process's, and rewriting a table takes its time.</summary>
    public static readonly StorePatience Migration = new(TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);

    /// <summary>Nothing that a request asks takes so long of a server that is well.</summary>
    internal static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    /// <summary>For the connection itself: to get one of the pool, or to make one.</summary>
    internal static readonly TimeSpan Connection = TimeSpan.FromSeconds(2);

    /// <summary>For the server's word on a statement that was given up.</summary>
    internal static readonly TimeSpan Cancellation = TimeSpan.FromSeconds(0.5);
}
