namespace RenderFarm.Testing;

/// <summary>Instead of sleeping: look again until it is so, or until the deadline, and then say what was seen last.</summary>
public static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <param name="what">Completes "waited for …".</param>
    public static Task TrueAsync(Func<Task<bool>> condition, TimeSpan within, string what, CancellationToken cancellationToken = default) =>
        ValueAsync(condition, isSo => isSo, within, what, cancellationToken);

    /// <returns>The first value that is accepted.</returns>
    public static async Task<T> ValueAsync<T>(
        Func<Task<T>> value,
        Func<T, bool> accept,
        TimeSpan within,
        string what,
        CancellationToken cancellationToken = default
    )
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var seen = await value();
            if (accept(seen))
            {
                return seen;
            }

            if (TimeProvider.System.GetElapsedTime(began) > within)
            {
                throw new TimeoutException($"waited {within.TotalSeconds:0.#} s for {what}; last seen: {seen}");
            }

            await Task.Delay(Interval, cancellationToken);
        }
    }
}
