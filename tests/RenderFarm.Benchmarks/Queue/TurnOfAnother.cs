using System.Text.Json.Nodes;
using RenderFarm.Artifacts;
using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>One user has a thousand jobs waiting; how many of them go before the one job of another?</summary>
internal static class TurnOfAnother
{
    private const int Many = 1_000;

    public static async Task<Findings> MeasureAsync()
    {
        await using var queue = await QueueOfJobs.CreateAsync();
        var worker = (await queue.RegisterAsync(1))[0];
        for (var i = 0; i < Many; i++)
        {
            await SubmitAsync(queue, "key_1");
        }

        for (var i = 0; i < 10; i++)
        {
            await ServeAsync(queue, worker);
        }

        await queue.Clock.RunOnceAsync(CancellationToken.None);
        await SubmitAsync(queue, "key_2");
        var before = 0;
        while (await ServeAsync(queue, worker) != "key_2")
        {
            before++;
        }

        return new Findings(
            [Figure.Most($"jobs of a user with {Many} queued that are served before the one of another", before, "jobs", 1)],
            new JsonObject { ["queued_of_user_a"] = Many, ["jobs_of_user_a_served_before_the_one_of_user_b"] = before }
        );
    }

    private static async Task SubmitAsync(QueueOfJobs queue, string key) =>
        await queue.Jobs.SubmitAsync(
            new NewJob
            {
                Id = JobIds.New(TimeProvider.System),
                KeyId = key,
                Spec = new RenderSpec
                {
                    Model = "demo",
                    Prompt = "a red ball",
                    Width = 64,
                    Height = 64,
                    Frames = 5,
                    Fps = 8,
                    Steps = 4,
                    GuidanceScale = 5,
                    Shift = 3,
                    Seed = 1,
                },
                VramClass = 0,
                LeastVramBytes = 0,
                EstimatedSeconds = 10,
            },
            CancellationToken.None
        );

    /// <returns>Whose job it was.</returns>
    private static async Task<string> ServeAsync(QueueOfJobs queue, string worker)
    {
        var lease = await queue.LeaseAsync(worker) ?? throw new InvalidOperationException("the queue is empty");
        await queue.Desk.CompleteAsync(
            new(
                lease.Lease,
                new CompleteRequest
                {
                    Artifacts =
                    [
                        new Artifact(ArtifactKind.Video, ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name), "video/mp4", 1, "00"),
                    ],
                }
            ),
            CancellationToken.None
        );
        return (await queue.Jobs.GetAsync(lease.Id, RenderFarm.Jobs.JobScope.All, CancellationToken.None))!.KeyId;
    }
}
