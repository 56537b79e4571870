namespace RenderFarm.Simulation.Queues;

/// <summary>Simulated seconds as a database tells the time.</summary>
internal static class Moments
{
    /// <summary>When simulations begin: 2026-01-01.</summary>
    private const double Begin = 1_767_225_600;

    public static double UnixSeconds(double now) => Begin + now;

    public static DateTimeOffset Time(double now) => DateTimeOffset.FromUnixTimeMilliseconds((long)(UnixSeconds(now) * 1_000));

    /// <summary>As SQLite counts in its statements, so that the two never differ by a rounding.</summary>
    public static long Microseconds(double now, double after = 0) => (long)((UnixSeconds(now) + after) * 1_000_000);
}
