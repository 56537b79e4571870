namespace RenderFarm.Hosting.Loops;

/// <summary>Growing pauses between tries, with jitter, so that what failed together does not knock in step.</summary>
public sealed class Backoff(double firstSeconds, double longestSeconds)
{
    private int _tries;

    public TimeSpan Next()
    {
        var seconds = Math.Min(longestSeconds, firstSeconds * Math.Pow(2, Math.Min(_tries++, 20)));
        return TimeSpan.FromSeconds(seconds * (0.75 + (0.5 * Random.Shared.NextDouble())));
    }

    public void Reset() => _tries = 0;
}
