using System.Diagnostics;

namespace RenderFarm.Training.Stages;

/// <summary>Seconds of a stage; its rate of learning follows from how many of them are gone.</summary>
/// <param name="before">Spent by an earlier run that this one goes on from.</param>
internal sealed class Budget(double seconds, double before = 0)
{
    private const int WarmupSteps = 100;

    private const double SaveEvery = 60;

    private readonly long _started = Stopwatch.GetTimestamp();
    private double _saved;

    public double Spent => before + Stopwatch.GetElapsedTime(_started).TotalSeconds;

    public bool IsOver => Spent >= seconds;

    /// <summary>Once a minute.</summary>
    public bool TimeToSave()
    {
        if (Spent < _saved + SaveEvery)
        {
            return false;
        }

        _saved = Spent;
        return true;
    }

    /// <summary>Of the seconds, how many are gone, [0, 1].</summary>
    public double Share => Math.Min(1, Spent / Math.Max(seconds, 1e-3));

    /// <summary>Rises over the first steps, holds, and falls along a cosine in the second half.</summary>
    public double Rate(double peak, int step)
    {
        var warm = Math.Min(1, (step + 1.0) / WarmupSteps);
        var fall = Share < 0.45 ? 1 : 0.02 + 0.98 * 0.5 * (1 + Math.Cos(Math.PI * (Share - 0.45) / 0.55));
        return peak * warm * fall;
    }
}
