using RenderFarm.Jobs.Batches;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Users;

/// <summary>Many jobs in one go.</summary>
internal static class Batches
{
    public static string NewBatch(TimeProvider time) => BatchStore.NewId(time);

    public static async Task<string> SubmitAsync(TestFarm farm, IReadOnlyList<NewJob> jobs)
    {
        var id = NewBatch(farm.Time);
        await new BatchStore(farm.Database, farm.Announcer, farm.Time).SubmitAsync(
            new NewBatch { Id = id, KeyId = farm.Key },
            [.. jobs.Select((job, i) => job with { BatchId = id, BatchLine = i + 1 })],
            TestContext.Current.CancellationToken
        );
        return id;
    }
}
