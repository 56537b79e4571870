using System.Text.Json.Nodes;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>Verbs on all videos of a filter, filters of lists, the queue, and keys after their making.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class BulkVerbTests : VerbsUnderTest
{
    private const string More =
        """
        ,"prompt":"a ball","size":"64x64","worker":"worker_1","created_at":100,"completed_at":190,"usage":{"queue_seconds":60}
        """;

    [Fact]
    public async Task Cancel_WithAFilter_CountsAndDoesNothing()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"object":"bulk","matched":3,"done":0,"failed":[]}"""));

        Assert.Equal(0, await RunAsync(farm, "cancel", "--status", "queued", "--metadata", "shot=1=2"));

        var request = Assert.Single(farm.Requests);
        Assert.Equal("POST /v1/videos/bulk", request.Line);
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""{"action":"cancel","filter":{"status":"queued","metadata":{"shot":"1=2"}},"dry_run":true}"""),
                JsonNode.Parse(request.Body)
            )
        );
        Assert.Equal("3 videos would be cancelled; --yes does it.", Console.Output.Trim());
    }

    [Fact]
    public async Task Delete_OfAllWithYes_DoesItToAsManyAsWereCounted_AndNamesThoseItWasNotDoneTo()
    {
        await using var farm = new StubFarm(
            (_, body) =>
                body.Contains("dry_run", StringComparison.Ordinal)
                    ? (200, """{"object":"bulk","matched":2,"done":0,"failed":[]}""")
                    : (200, """{"object":"bulk","matched":2,"done":1,"failed":[{"id":"video_1","code":"not_found"}]}""")
        );

        Assert.Equal(1, await RunAsync(farm, "delete", "--all", "--yes"));

        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""{"action":"delete","all":true,"expected":2}"""),
                JsonNode.Parse(farm.Requests.Last().Body)
            )
        );
        Assert.Equal("1 of 2 videos deleted.\nvideo_1  not_found", Console.Output.TrimEnd());
    }

    [Fact]
    public async Task Prune_IsOfWhatHasEndedLongAgo_AndCountsFirst()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"object":"bulk","matched":1,"done":0,"failed":[]}"""));
        var before = TimeProvider.System.GetUtcNow().AddDays(-90).ToUnixTimeSeconds();

        Assert.Equal(0, await RunAsync(farm, "prune", "--older-than", "90d"));

        var filter = JsonNode.Parse(Assert.Single(farm.Requests).Body)!["filter"]!;
        Assert.Equal("completed,failed,cancelled,expired", (string?)filter["status"]);
        Assert.InRange((long)filter["created_before"]!, before, before + 60);
        Assert.Equal("1 video would be deleted; --yes does it.", Console.Output.Trim());
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("retry", "video_1", "--all")]
    [InlineData("delete", "--status", "failed", "--all")]
    [InlineData("cancel", "--status", "done")]
    [InlineData("cancel", "--metadata", "shot")]
    [InlineData("list", "--within", "soon")]
    [InlineData("keys", "edit", "key_1")]
    [InlineData("keys", "edit", "key_1", "--queued", "many")]
    public async Task Options_ThatSayNotWhatIsMeant_AreRefusedAndNothingIsSent(params string[] arguments)
    {
        await using var farm = new StubFarm((_, _) => (200, "{}"));

        Assert.NotEqual(0, await RunAsync(farm, arguments));
        Assert.Empty(farm.Requests);
    }

    [Fact]
    public async Task List_Filters_AreInTheAddress_AndWorkersByTheirNames()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                request.RawUrl!.StartsWith("/v1/workers", StringComparison.Ordinal)
                    ? (200, """{"data":[{"id":"worker_1","name":"rack-1"}]}""")
                    : (
                        200,
                        $$"""{"data":[{{VideoIs("completed", More)}}],"has_more":false,"last_id":"video_1"}"""
                    )
        );

        string[] filter = ["--status", "completed", "--status", "expired", "--metadata", "a b=c&d", "--text", "x y"];
        Assert.Equal(0, await RunAsync(farm, ["list", .. filter]));

        Assert.Equal(
            "GET /v1/videos?limit=20&order=desc&status=completed%2Cexpired&text=x%20y&metadata%5Ba%20b%5D=c%26d",
            farm.Requests.First().Line
        );
        Assert.Contains("rack-1", Console.Output, StringComparison.Ordinal);
        Assert.Contains(" 30 s ", Console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Queue_Pause_SendsWhatIsMeant_AndShowsWhatIsPaused()
    {
        await using var farm = new StubFarm(
            (_, _) =>
                (
                    200,
                    """
                    {"object":"queue","paused":[{"model":"demo","key":null,"since":1767323045}],
                    "classes":[{"vram_class":24,"model":"demo","queued":3,"oldest_seconds":30,"gpu_seconds":600,"per_hour":4}]}
                    """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "queue", "pause", "--model", "demo"));

        Assert.Equal("POST /v1/queue/pause", Assert.Single(farm.Requests).Line);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"model":"demo"}"""), JsonNode.Parse(farm.Requests.Single().Body)));
        Assert.Contains("24 GiB", Console.Output, StringComparison.Ordinal);
        Assert.Contains("paused since 2026-01-02 03:04:05 UTC: model demo", Console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_EditAndRotate_SendWhatChanges_AndPrintTheNewSecretAlone()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"id":"key_1","name":"studio","key":"rf_new"}"""));

        Assert.Equal(0, await RunAsync(farm, "keys", "edit", "key_1", "--queued", "5", "--per-day", "none", "--class", "night"));
        Assert.Equal(0, await RunAsync(farm, "keys", "rotate", "key_1", "--overlap", "1h"));

        Assert.Equal(["PATCH /v1/keys/key_1", "POST /v1/keys/key_1/rotate"], farm.Requests.Select(request => request.Line));
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""{"class":"night","quotas":{"queued":5,"per_day":null}}"""),
                JsonNode.Parse(farm.Requests.First().Body)
            )
        );
        Assert.Equal("""{"overlap_seconds":3600}""", farm.Requests.Last().Body);
        Assert.EndsWith("rf_new", Console.Output.TrimEnd(), StringComparison.Ordinal);
    }
}
