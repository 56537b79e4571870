namespace RenderFarm.Worker.Retries;

/// <summary>Growing pauses between tries, with jitter, so that a farm of workers does not knock in step.</summary>
internal sealed class Backoff(double firstSeconds, double longestSeconds)
{
    private int _tries;

    public TimeSpan Next()
    {
        var seconds = Math.Min(longestSeconds, firstSeconds * Math.Pow(2, Math.Min(_tries++, 20)));
        return TimeSpan.FromSeconds(seconds * (0.75 + (0.5 * Random.Shared.NextDouble())));
    }

    public void Reset() => _tries = 0;
}
