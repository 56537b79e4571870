namespace RenderFarm.Cli.Tests.Commands;

/// <summary>Verbs on workers.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class WorkerVerbTests : VerbsUnderTest
{
    [Fact]
    public async Task Drain_ByName_WaitsUntilTheWorkerHoldsNothing()
    {
        var looks = 0;
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.RawUrl == "/v1/workers"
                        ? $$"""{"data":[{{Worker(held: true)}}]}"""
                        : Worker(held: request.HttpMethod == "POST" || looks++ == 0)
                )
        );

        Assert.Equal(0, await RunAsync(farm, "drain", "rack-1", "--wait"));

        Assert.Contains("POST /v1/workers/w_1/drain", farm.Requests.Select(request => request.Line));
        Assert.Contains("still holds video_1 (denoising)", Console.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Refused, await RunAsync(farm, "drain", "rack-9"));
        Assert.Contains("there are rack-1", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workers_TwoOfOneName_AreShownWithTheWarningAndToldApartById()
    {
        const string Twins = """
            {"data":[
            {"id":"w_0","name":"rack-1","host":"a","status":"gone","slots":[],"models":[],"held":[]},
            {"id":"w_1","name":"rack-1","host":"b","status":"live","slots":[],"models":[],"held":[],"warning":"named 'rack-1' too: w_2"},
            {"id":"w_2","name":"rack-1","host":"c","status":"live","slots":[],"models":[],"held":[]}]}
            """;
        await using var farm = new StubFarm(
            (request, _) =>
                (200, request.RawUrl == "/v1/workers" ? Twins : """{"id":"w_2","name":"rack-1","status":"draining","held":[]}""")
        );

        Assert.Equal(0, await RunAsync(farm, "workers"));
        Assert.Contains("warning: w_1: named 'rack-1' too: w_2", Console.Output, StringComparison.Ordinal);

        Assert.NotEqual(0, await RunAsync(farm, "drain", "rack-1"));
        Assert.Contains("2 workers are named 'rack-1'", Errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("w_2 (host c)", Errors.ToString(), StringComparison.Ordinal);

        Assert.Equal(0, await RunAsync(farm, "drain", "w_2"));
        Assert.Contains("POST /v1/workers/w_2/drain", farm.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task Workers_SlotQuarantined_SaysWhichAndWhy()
    {
        await using var farm = new StubFarm(
            (_, _) =>
                (
                    200,
                    """
                    {"data":[{"id":"w_1","name":"rack-1","status":"idle","models":[],"held":[],"slots":[
                        {"id":"gpu0","card":"card","total_bytes":1073741824,"quarantine":null},
                        {"id":"gpu1","card":"card","total_bytes":1073741824,"quarantine":{"reason":"no encoder","since":1764000000,"by":"worker"}}]}]}
                    """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "workers"));

        Assert.Contains(
            "rack-1, slot gpu1, takes no jobs since 2025-11-24 16:00:00 UTC, says the worker: no encoder",
            Console.Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("slot gpu0", Console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resume_OneSlot_NamesItInTheBodyAndSaysWhatStillStands()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.RawUrl == "/v1/workers"
                        ? """{"data":[{"id":"w_1","name":"rack-1","status":"live","slots":[],"models":[],"held":[]}]}"""
                        : """
                        {"id":"w_1","name":"rack-1","status":"live","slots":[
                            {"id":"gpu1","quarantine":{"reason":"Xid 48","since":1764000000,"by":"worker"}}]}
                        """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "resume", "rack-1", "--slot", "gpu1"));

        var sent = farm.Requests.Single(request => request.Line == "POST /v1/workers/w_1/resume");
        Assert.Equal("""{"slot":"gpu1"}""", sent.Body);
        Assert.Contains("says the worker: Xid 48", Console.Output, StringComparison.Ordinal);
    }

    private const string Held = """{"slot":"gpu0","stage":"denoising","video_id":"video_1"}""";

    private static string Worker(bool held) =>
        $$"""{"id":"w_1","name":"rack-1","status":"draining","slots":[],"models":[],"held":[{{(held ? Held : "")}}]}""";
}
