using RenderFarm.Contracts.Leases;

namespace RenderFarm.Jobs.Retries;

/// <summary>What follows from a failed attempt.</summary>
public abstract record RetryDecision(Tally Tally)
{
    /// <summary>Back to the queue, to be offered again after the delay.</summary>
    public sealed record Again(Tally Tally, TimeSpan After) : RetryDecision(Tally);

    /// <summary>Failed for good.</summary>
    public sealed record Final(Tally Tally, string ErrorCode) : RetryDecision(Tally);
}

/// <summary>Decides by the reason of a failure. Pure: the randomness of the jitter is passed in.</summary>
/// <param name="random">Uniform in [0, 1).</param>
public sealed class RetryPolicy(Func<double> random)
{
    public const int MostStepDowns = 6;
    public const int DeathsToPoison = 3;
    public const string Poison = "poison";
    public static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(5);

    public RetryDecision Decide(FailureReason reason, Tally tally, bool progressed)
    {
        ArgumentNullException.ThrowIfNull(tally);
        var rule = ReasonRule.Of(reason);
        var code = ReasonRule.ErrorCode(reason);

        if (rule.Retry == RetryKind.NextPlan && tally.StepDowns < MostStepDowns)
        {
            return new RetryDecision.Again(tally with { StepDowns = tally.StepDowns + 1 }, TimeSpan.Zero);
        }

        var next = tally with { Failures = tally.Failures + 1, Deaths = !rule.IsDeath || progressed ? 0 : tally.Deaths + 1 };
        if (rule.Retry is RetryKind.Never or RetryKind.NextPlan)
        {
            return new RetryDecision.Final(next, code);
        }

        if (next.Deaths >= DeathsToPoison)
        {
            return new RetryDecision.Final(next, Poison);
        }

        if (next.Failures >= next.MaxAttempts)
        {
            return new RetryDecision.Final(next, code);
        }

        return new RetryDecision.Again(next, rule.Retry == RetryKind.AtOnce ? TimeSpan.Zero : BackOff(next.Failures));
    }

    /// <summary>2 s, 4 s, 8 s, … up to 5 minutes, less up to half of it, so that jobs which failed together come back apart.</summary>
    private TimeSpan BackOff(int failures)
    {
        var full = Math.Min(FirstDelay.TotalSeconds * Math.Pow(2, failures - 1), LongestDelay.TotalSeconds);
        return TimeSpan.FromSeconds(full * (1 - random() / 2));
    }
}
