using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Intake;

public sealed class PromisesOnSqlite() : PromiseFacts(new SqliteStore());

public sealed class PromisesOnPostgres() : PromiseFacts(new PostgresStore());

/// <summary>When a job would begin is said when it comes, and stands with it: whoever leases it can tell whether it was so.</summary>
public abstract class PromiseFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Submit_TellsWhenEachBegins_AndALeaseKnowsIt()
    {
        await CpuOnlyAsync();
        for (var i = 0; i < 3; i++)
        {
            await Farm.SubmitAsync();
        }

        // Of 10 s each, on one slot
        foreach (var seconds in new[] { 0, 10, 20 })
        {
            var lease = await Farm.LeaseAsync();
            Assert.Equal(seconds, lease.PromisedSeconds!.Value, tolerance: 1);
            await Farm.ReleaseAsync(lease);
            await Farm.Jobs.CancelAsync(lease.Id, JobScope.All, Stop);
        }
    }

    /// <summary>Those that share a transaction see each other, though none of them is in any line yet.</summary>
    [Fact]
    public async Task Submit_ManyAtOnce_TellsEachOfThoseBeforeIt()
    {
        await CpuOnlyAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Farm.SubmitAsync()));

        var promised = new List<double>();
        while (await Farm.TryLeaseAsync() is { } lease)
        {
            promised.Add(lease.PromisedSeconds!.Value);
            await Farm.ReleaseAsync(lease);
            await Farm.Jobs.CancelAsync(lease.Id, JobScope.All, Stop);
        }

        Assert.Equal(20, promised.Count);
        Assert.All(promised.Index(), one => Assert.Equal(one.Index * 10, one.Item, tolerance: 1));
    }

    [Fact]
    public async Task Submit_WhileNobodyTakesIt_PromisesNothing()
    {
        await Farm.Workers.SetDrainingAsync(Farm.Worker, true, Stop);
        await Farm.SubmitAsync();
        await Farm.Workers.SetDrainingAsync(Farm.Worker, false, Stop);

        Assert.Null((await Farm.LeaseAsync()).PromisedSeconds);
    }

    private Task CpuOnlyAsync()
    {
        var both = TestFarm.Registration("rack-1", "demo");
        return Farm.RegisterAsync(both with { Slots = [.. both.Slots.Where(slot => slot.Kind == SlotKind.Cpu)] });
    }
}
