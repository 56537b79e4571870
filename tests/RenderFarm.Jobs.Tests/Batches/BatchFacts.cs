using RenderFarm.Jobs.Batches;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Batches;

public sealed class BatchesOnSqlite() : BatchFacts(new SqliteStore());

public sealed class BatchesOnPostgres() : BatchFacts(new PostgresStore());

public abstract class BatchFacts(StoreUnderTest store) : FarmFacts(store)
{
    private BatchStore Batches => new(Farm.Database, Farm.Announcer, Farm.Time);

    /// <summary>Rows of a batch come into the table by another way, whichever the store has for many.</summary>
    [Fact]
    public async Task Submit_ALine_IsTheJobThatItWouldBeAlone()
    {
        var request = Farm.NewJob() with
        {
            Priority = 70,
            VramClass = 8,
            LeastVramBytes = 5L << 30,
            MaxAttempts = 5,
            Metadata = new Dictionary<string, string> { ["shot"] = "é 𝄞 \\ \t" },
            WebhookUrl = "https://example.org/hook",
            ExpiresAfter = TimeSpan.FromHours(1.5),
            RequestHash = "hash",
            TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        };
        await Farm.SubmitAsync(request);

        var batch = await SubmitAsync([request with { Id = JobIds.New(Farm.Time) }]);

        // As the store has it: the moment in memory has finer ticks
        var alone = await Farm.GetAsync(request.Id);
        var line = Assert.Single(await Batches.JobsAsync(batch, 0, 10, Stop));
        Assert.Equal((batch, 1), (line.BatchId, line.BatchLine));
        Assert.Equal(alone.OrderKey + request.EstimatedSeconds, line.OrderKey);
        Assert.Equivalent(
            alone,
            line with { Id = alone.Id, Lease = alone.Lease, OrderKey = alone.OrderKey, BatchId = null, BatchLine = null },
            strict: true
        );
    }

    [Fact]
    public async Task Submit_ManyLines_AreTakenAndToldOfInTheirOrder()
    {
        var batch = await SubmitAsync([.. Enumerable.Range(0, 700).Select(_ => Farm.NewJob() with { Id = JobIds.New(Farm.Time) })]);

        var lines = (await Batches.JobsAsync(batch, 0, 1_000, Stop)).Select(job => job.Id).ToList();
        Assert.Equal(700, lines.Count);
        Assert.Equal(lines, await ToldAsync());
        foreach (var line in lines.Take(3))
        {
            Assert.Equal(line, (await Farm.LeaseAsync()).Id);
        }
    }

    private async Task<string> SubmitAsync(List<NewJob> jobs)
    {
        var id = BatchStore.NewId(Farm.Time);
        var result = await Batches.SubmitAsync(
            new NewBatch { Id = id, KeyId = Farm.Key },
            [.. jobs.Select((job, i) => job with { BatchId = id, BatchLine = i + 1 })],
            Stop
        );
        Assert.Equal(jobs.Count, Assert.IsType<BatchResult.Created>(result).Batch.Total);
        return id;
    }

    /// <summary>The jobs of all events, in their order.</summary>
    private async Task<List<string>> ToldAsync()
    {
        while (await Farm.Events.PlaceAsync(Stop) > 0) { }

        var told = new List<string>();
        for (var at = 0L; await Farm.Events.AfterAsync(at, Stop) is { Count: > 0 } news; at = news[^1].Position)
        {
            told.AddRange(news.Select(one => one.JobId));
        }

        return told;
    }
}
