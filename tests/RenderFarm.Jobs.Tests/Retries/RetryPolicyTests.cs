using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Retries;

namespace RenderFarm.Jobs.Tests.Retries;

public sealed class RetryPolicyTests
{
    private static readonly Tally Fresh = new(Failures: 0, MaxAttempts: 10, StepDowns: 0, Deaths: 0);

    public static TheoryData<FailureReason> Reasons => [.. Enum.GetValues<FailureReason>()];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Decide_AnyReasonForEver_ComesToAnEndWithinTheLimits(FailureReason reason)
    {
        var policy = new RetryPolicy(() => 0.5);
        var tally = Fresh;
        for (var i = 0; i < 20; i++)
        {
            var decision = policy.Decide(reason, tally, progressed: true);
            tally = decision.Tally;
            Assert.InRange(tally.Failures, 0, tally.MaxAttempts);
            Assert.InRange(tally.StepDowns, 0, RetryPolicy.MostStepDowns);
            if (decision is RetryDecision.Final)
            {
                return;
            }
        }
        Assert.Fail($"{reason} is tried again for ever");
    }

    [Fact]
    public void Decide_WorkerLost_RunsElsewhereAtOnceHoweverOftenItFailed()
    {
        var policy = new RetryPolicy(() => 0);
        var delays = Enumerable
            .Range(0, 9)
            .Select(n =>
                ((RetryDecision.Again)policy.Decide(FailureReason.WorkerLost, Fresh with { Failures = n }, progressed: true)).After
            );
        Assert.All(delays, delay => Assert.Equal(TimeSpan.Zero, delay));
    }

    [Fact]
    public void Decide_Transient_DoublesUpToFiveMinutes()
    {
        var policy = new RetryPolicy(() => 0);
        var after = Enumerable
            .Range(0, 9)
            .Select(n =>
                ((RetryDecision.Again)policy.Decide(FailureReason.Transient, Fresh with { Failures = n }, progressed: false))
                    .After
                    .TotalSeconds
            );
        Assert.Equal([2, 4, 8, 16, 32, 64, 128, 256, 300], after);
    }

    [Fact]
    public void Decide_Jitter_TakesUpToHalfOff()
    {
        var again = (RetryDecision.Again)new RetryPolicy(() => 0.999999).Decide(FailureReason.Transient, Fresh, progressed: false);
        Assert.InRange(again.After.TotalSeconds, 1, 1.01);
    }

    [Fact]
    public void Decide_DeathsWithoutProgress_ArePoisonAtTheThird()
    {
        var policy = new RetryPolicy(() => 0);
        Assert.IsType<RetryDecision.Again>(policy.Decide(FailureReason.RendererCrashed, Fresh with { Deaths = 1 }, progressed: false));
        var third = policy.Decide(FailureReason.WorkerLost, Fresh with { Deaths = 2 }, progressed: false);
        Assert.Equal(RetryPolicy.Poison, Assert.IsType<RetryDecision.Final>(third).ErrorCode);
        Assert.Equal(0, policy.Decide(FailureReason.WorkerLost, Fresh with { Deaths = 2 }, progressed: true).Tally.Deaths);
    }

    [Fact]
    public void Decide_OutOfMemory_BurnsNoAttempt()
    {
        var again = Assert.IsType<RetryDecision.Again>(
            new RetryPolicy(() => 0).Decide(FailureReason.GpuOutOfMemory, Fresh, progressed: false)
        );
        Assert.Equal((TimeSpan.Zero, 0, 1), (again.After, again.Tally.Failures, again.Tally.StepDowns));
    }
}
