using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>The message is a doorbell: without it the door still opens.</summary>
public sealed class BrokerIsDown
{
    [Fact]
    public async Task Submit_BrokerGone_AnswersAtOnceAndTheJobStartsByTheLongPoll()
    {
        await using var services = await FarmOnServices.CreateAsync();
        await using var farm = await FarmUnderTest.StartAsync(services.Setup);
        services.Broker.Cut();

        var began = TimeProvider.System.GetTimestamp();
        var id = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
        var answered = TimeProvider.System.GetElapsedTime(began);
        await farm.EventuallyAsync(
            async () => (await farm.VideoAsync(id)).GetProperty("status").GetString() != "queued",
            TimeSpan.FromSeconds(5),
            "the job to start without a bell"
        );

        Assert.True(answered < TimeSpan.FromSeconds(5), $"the answer took {answered.TotalSeconds:0.0} s");
        await farm.CompletedAsync(id, TimeSpan.FromSeconds(90));
    }

    [Fact]
    public async Task Start_BrokerGone_TheFarmComesUpAndTakesTheBrokerWhenItReturns()
    {
        await using var services = await FarmOnServices.CreateAsync();
        services.Broker.Cut();
        await using var farm = await FarmUnderTest.StartAsync(services.Setup);

        await farm.CompletedAsync((await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!, TimeSpan.FromSeconds(90));
        services.Broker.Restore();

        await farm.EventuallyAsync(
            async () => (await services.Host.QueuesAsync(TestContext.Current.CancellationToken)).Contains("renderfarm.jobs.cpu"),
            TimeSpan.FromSeconds(60),
            "the worker to declare its queue"
        );
    }
}
