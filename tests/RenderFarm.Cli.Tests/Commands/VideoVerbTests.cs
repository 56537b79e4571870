using System.Text.Json.Nodes;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>Verbs on videos, and how any verb ends.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class VideoVerbTests : VerbsUnderTest
{
    [Theory]
    [InlineData(400, "invalid_value", ExitCodes.Refused)]
    [InlineData(404, "not_found", ExitCodes.Refused)]
    [InlineData(429, "quota_exceeded", ExitCodes.Unavailable)]
    [InlineData(503, "unavailable", ExitCodes.Unavailable)]
    public async Task AnyVerb_Refused_EndsWithACodeForIts_Kind(int status, string code, int exit)
    {
        await using var farm = new StubFarm(
            (_, _) => (status, $$$"""{"error":{"message":"no","type":"x","param":"size","code":"{{{code}}}"}}""")
        );

        Assert.Equal(exit, await RunAsync(farm, "show", "video_1", "--json"));

        Assert.Equal(code, (string?)JsonNode.Parse(Errors.ToString())!["error"]!["code"]);
        Assert.Empty(Console.Output);
    }

    [Fact]
    public async Task AnyVerb_WithoutAFarm_EndsWithThree() =>
        Assert.Equal(ExitCodes.Unavailable, await RunAsync("list", "--url", "http://127.0.0.1:1", "--key", "rf_test"));

    [Fact]
    public async Task Watch_AFailedVideo_EndsWithOneAndSaysWhy()
    {
        await using var farm = new StubFarm(
            (_, _) => (200, VideoIs("failed", ""","error":{"code":"gpu_out_of_memory","message":"too big"}"""))
        );

        Assert.Equal(ExitCodes.Failure, await RunAsync(farm, "watch", "video_1"));
        Assert.Contains("gpu_out_of_memory: too big", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_OfAll_GoesThroughThePages()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                request.RawUrl!.Contains("after=video_1", StringComparison.Ordinal)
                    ? (200, $$"""{"data":[{{VideoIs("failed")}}],"has_more":false,"last_id":"video_1"}""")
                    : (200, $$"""{"data":[{{VideoIs("queued")}},{{VideoIs("completed")}}],"has_more":true,"last_id":"video_1"}""")
        );

        Assert.Equal(0, await RunAsync(farm, "list", "--limit", "0", "--json"));

        Assert.Equal(
            ["queued", "completed", "failed"],
            Console.Output.TrimEnd().Split('\n').Select(line => (string?)JsonNode.Parse(line)!["status"])
        );
        Assert.Equal(
            ["GET /v1/videos?limit=100&order=desc", "GET /v1/videos?limit=100&order=desc&after=video_1"],
            farm.Requests.Select(request => request.Line)
        );
    }

    [Theory]
    [InlineData("failed", ""","error":{"code":"cancelled","message":"Cancelled."}""", "video_1  cancelled")]
    [InlineData("in_progress", ""","eta_seconds":90""", "video_1  stopping: its worker has been told")]
    [InlineData("completed", "", "video_1  was completed already")]
    [InlineData("failed", ""","error":{"code":"poison","message":"No."}""", "video_1  had failed already (poison)")]
    public async Task Cancel_AVideo_SaysWhatBecameOfIt(string status, string more, string said)
    {
        await using var farm = new StubFarm((_, _) => (200, VideoIs(status, more)));

        Assert.Equal(0, await RunAsync(farm, "cancel", "video_1"));

        Assert.Equal("POST /v1/videos/video_1/cancel", Assert.Single(farm.Requests).Line);
        Assert.Equal(said, Console.Output.Trim());
    }

    [Fact]
    public async Task Delete_Several_SpeaksToEach()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"id":"x","deleted":true}"""));

        Assert.Equal(0, await RunAsync(farm, "delete", "video_1", "batch_1"));

        Assert.Equal(["DELETE /v1/videos/video_1", "DELETE /v1/batches/batch_1"], farm.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task Download_OntoAFileThatIsThere_NeedsForce()
    {
        await using var farm = new StubFarm((_, _) => (200, "MP4"));
        var path = Folder.File("a.mp4");
        await File.WriteAllTextAsync(path, "mine", TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Refused, await RunAsync(farm, "download", "video_1", "-o", path));
        Assert.Equal("mine", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Contains("--force replaces it", Errors.ToString(), StringComparison.Ordinal);
        Assert.Empty(farm.Requests);

        Assert.Equal(0, await RunAsync(farm, "download", "video_1", "-o", path, "--force"));
        Assert.Equal("MP4", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }
}
