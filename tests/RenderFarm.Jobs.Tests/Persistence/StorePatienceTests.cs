using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Tests.Persistence;

/// <summary>No server is asked: the work is a task of the test's.</summary>
public sealed class StorePatienceTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(5);

    [Fact]
    public async Task WithinAsync_WorkThatHangs_IsAnOutage()
    {
        await using var database = Database();

        var outage = await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            database.WithinAsync(new StorePatience(Short, Short), new TaskCompletionSource<int>().Task, CancellationToken.None)
        );

        Assert.Contains("did not answer within 0.005 s", outage.Cause, StringComparison.Ordinal);
    }

    /// <summary>Many at once, so that some meet within the microseconds in which both have come.</summary>
    [Fact]
    public async Task WithinAsync_WorkThatEndsWithThePatience_IsAnsweredOrAnOutage()
    {
        await using var database = Database();

        var ends = await Task.WhenAll(Enumerable.Range(0, 4000).Select(_ => EndAsync(database)));

        Assert.All(ends, end => Assert.True(end is null or StoreUnavailableException, $"{end}"));
    }

    [Fact]
    public async Task WithinAsync_WorkThatTimesOutByItself_SaysSoItself()
    {
        await using var database = Database();

        var fault = await Assert.ThrowsAsync<TimeoutException>(() =>
            database.WithinAsync(StorePatience.Request, Task.FromException<int>(new TimeoutException("of its own")), CancellationToken.None)
        );

        Assert.Equal("of its own", fault.Message);
    }

    private static async Task<Exception?> EndAsync(JobDatabase database)
    {
        try
        {
            await database.WithinAsync(new StorePatience(Short, Short), Ending(), CancellationToken.None);
            return null;
        }
        catch (Exception end)
        {
            return end;
        }

        static async Task<int> Ending()
        {
            await Task.Delay(Short, CancellationToken.None);
            return 1;
        }
    }

    private static JobDatabase Database() =>
        new(new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = "Host=127.0.0.1;Port=9;Username=nobody;Database=none" });
}
