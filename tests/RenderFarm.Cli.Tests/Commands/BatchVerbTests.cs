using System.Text.Json.Nodes;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary><c>batch</c>, and verbs on a batch.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class BatchVerbTests : VerbsUnderTest
{
    [Fact]
    public async Task Batch_ToAFolder_WaitsAndDownloadsWhatIsCompleted()
    {
        const string Lines = """
            {"line":1,"id":"video_1","status":"completed"}
            {"line":2,"id":"video_2","status":"failed"}
            """;
        var looks = 0;
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.RawUrl switch
                    {
                        "/v1/batches" => BatchIs("queued", 0, 0),
                        "/v1/batches/batch_1" => looks++ == 0 ? BatchIs("in_progress", 1, 0) : BatchIs("completed", 1, 1),
                        "/v1/batches/batch_1/manifest" => Lines,
                        _ => "MP4",
                    }
                )
        );
        await File.WriteAllTextAsync(Folder.File("a.jsonl"), """{"prompt":"a"}""" + "\n", TestContext.Current.CancellationToken);

        // One of its videos has failed, and so has it.
        Assert.Equal(
            ExitCodes.Failure,
            await RunAsync(farm, "batch", Folder.File("a.jsonl"), "--out", Folder.File("clips"), "--idempotency-key", "night")
        );

        Assert.Equal(["00001-video_1.mp4"], Directory.GetFiles(Folder.File("clips")).Select(Path.GetFileName));
        Assert.Contains("1 completed, 1 failed", Console.Output, StringComparison.Ordinal);
        Assert.Equal(
            ("POST /v1/batches", "night", """{"prompt":"a"}""" + "\n"),
            farm.Requests.First() is var first ? (first.Line, first.IdempotencyKey, first.Body) : default
        );
    }

    [Fact]
    public async Task Cancel_ABatch_SpeaksToTheBatch()
    {
        await using var farm = new StubFarm((_, _) => (200, BatchIs("cancelled", 1, 1)));

        Assert.Equal(0, await RunAsync(farm, "cancel", "batch_1"));
        Assert.Equal("POST /v1/batches/batch_1/cancel", Assert.Single(farm.Requests).Line);
        Assert.Equal(ExitCodes.Refused, await RunAsync("batch", Folder.File("missing.jsonl")));
    }

    [Fact]
    public async Task Batch_LinesThatCantBeTaken_AreAllNamed()
    {
        await using var farm = new StubFarm(
            (_, _) =>
                (
                    400,
                    """
                    {"error":{"message":"2 of 3 lines can't be taken, so none was.","code":"invalid_value","param":"file",
                    "lines":[{"line":1,"code":"unknown_parameter","param":"stepz","message":"There is no parameter 'stepz'."},{"line":3,
                    "code":"invalid_value","param":"prompt","message":"'prompt' is required."}]}}
                    """
                )
        );
        await File.WriteAllTextAsync(Folder.File("a.jsonl"), "{}\n", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Refused, await RunAsync(farm, "batch", Folder.File("a.jsonl")));
        Assert.Contains("line 1: There is no parameter 'stepz'.", Errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("line 3: 'prompt' is required.", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancel_ABatch_SaysWhatBecameOfItsVideos()
    {
        await using var farm = new StubFarm(
            (_, _) =>
                (
                    200,
                    """
                    {"id":"batch_1","status":"in_progress","total":10,"progress":80,"counts":{"queued":0,"in_progress":2,"completed":3,
                    "failed":1,"cancelled":4}}
                    """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "cancel", "batch_1"));

        Assert.Equal("batch_1  4 cancelled, 2 stopping, 3 completed already, 1 had failed already", Console.Output.Trim());
    }

    [Fact]
    public async Task Download_ABatch_BringsWhatIsCompletedIntoAFolder()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.RawUrl!.EndsWith("/manifest", StringComparison.Ordinal)
                        ? """
                            {"line":2,"id":"video_1","status":"completed"}
                            {"line":3,"id":"video_2","status":"in_progress"}
                            """
                        : "WEBP"
                )
        );

        Assert.Equal(0, await RunAsync(farm, "download", "batch_1", "--variant", "thumbnail", "--out", Folder.File("clips"), "--json"));

        var file = Path.Combine(Folder.File("clips"), "00002-video_1-thumbnail.webp");
        Assert.Equal([file], Directory.EnumerateFiles(Folder.File("clips")));
        Assert.Equal(file, (string?)JsonNode.Parse(Console.Output)!["file"]);
        Assert.Equal(
            ["GET /v1/batches/batch_1/manifest", "GET /v1/videos/video_1/content?variant=thumbnail"],
            farm.Requests.Select(request => request.Line)
        );
    }

    [Fact]
    public async Task Retry_ABatch_RunsThoseThatFailedAgain()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.HttpMethod == "POST" ? VideoIs("queued")
                    : request.RawUrl!.Contains("after=video_1", StringComparison.Ordinal)
                        ? $$"""{"data":[{{VideoIs("completed")}},{{VideoIs("failed")}}],"has_more":false,"last_id":"video_1"}"""
                    : $$"""{"data":[{{VideoIs("failed")}}],"has_more":true,"last_id":"video_1"}"""
                )
        );

        Assert.Equal(0, await RunAsync(farm, "retry", "batch_1"));

        Assert.Equal(
            [
                "GET /v1/batches/batch_1/videos?limit=100&order=asc", "POST /v1/videos/video_1/retry",
                "GET /v1/batches/batch_1/videos?limit=100&order=asc&after=video_1", "POST /v1/videos/video_1/retry",
            ],
            farm.Requests.Select(request => request.Line)
        );
    }
}
