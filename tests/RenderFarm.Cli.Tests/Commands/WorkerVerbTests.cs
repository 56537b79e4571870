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

    /// <summary>Whoever was told of the quarantine asks for that worker first.</summary>
    [Fact]
    public async Task WorkersShow_SlotQuarantined_SaysWhichAndWhy()
    {
        const string Worker = """
            {"id":"w_1","name":"rack-1","host":"a","version":"1","status":"live","models":[],"held":[],"registered_at":1764000000,
             "seen_at":1764000000,"slots":[{"id":"gpu1","card":"card","total_bytes":1073741824,
                "quarantine":{"reason":"3 jobs in a row failed here","since":1764000000,"by":"farm"}}]}
            """;
        await using var farm = new StubFarm(
            (request, _) => (200, request.RawUrl == "/v1/workers" ? $$"""{"data":[{{Worker}}]}""" : Worker)
        );

        Assert.Equal(0, await RunAsync(farm, "workers", "show", "rack-1"));
        Assert.Contains("says the farm: 3 jobs in a row failed here", Console.Output, StringComparison.Ordinal);
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
                        {"id":"gpu1","card":"card","total_bytes":1073741824,
                            "quarantine":{"reason":"no encoder","since":1764000000,"by":"worker"}}]}]}
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
    public async Task Invite_PrintsTheLineAlone()
    {
        await using var farm = new StubFarm(
            (_, _) => (200, """{"id":"invitation_1","join":"https://farm:8080#rfi_1","expires_at":1764000000,"uses_left":3}""")
        );

        Assert.Equal(0, await RunAsync(farm, "workers", "invite", "--expires", "30m", "--uses", "3"));

        Assert.Equal("https://farm:8080#rfi_1", Console.Output.Trim());
        var asked = Assert.Single(farm.Requests);
        Assert.Equal("POST /v1/workers/invitations", asked.Line);
        Assert.Equal("""{"expires_in":1800,"uses":3}""", asked.Body);
        Assert.Empty(Errors.ToString());
    }

    [Fact]
    public async Task Invite_OfAFarmThatNobodyElseReaches_SaysSoBesideTheLine()
    {
        const string Join = "http://127.0.0.1:8080#rfi_1";
        await using var farm = new StubFarm((_, _) => (200, $$"""{"id":"invitation_1","join":"{{Join}}","expires_at":1,"uses_left":1}"""));

        Assert.Equal(0, await RunAsync(farm, "workers", "invite"));

        Assert.Equal(Join, Console.Output.Trim());
        Assert.Contains("./farm up --listen", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invitations_And_Withdraw_SayWhoMayComeAndThatNobodyDoes()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.HttpMethod == "GET"
                        ? """{"data":[{"id":"invitation_1","name":null,"expires_at":1764000000,"uses_left":3}]}"""
                        : """{"deleted":["invitation_1"]}"""
                )
        );

        Assert.Equal(0, await RunAsync(farm, "workers", "invitations"));
        Assert.Equal(0, await RunAsync(farm, "workers", "withdraw", "invitation_1"));

        Assert.Matches("invitation_1 +any name +3 +2025-11-24 16:00:00 UTC", Console.Output);
        Assert.Equal(
            ["GET /v1/workers/invitations", "DELETE /v1/workers/invitations?id=invitation_1"],
            farm.Requests.Select(request => request.Line)
        );
    }

    [Fact]
    public async Task Revoke_And_Rename_ByName_ReachTheWorkerOfThatName()
    {
        await using var farm = new StubFarm(
            (request, _) => (200, request.RawUrl == "/v1/workers" ? $$"""{"data":[{{Worker(held: false)}}]}""" : Worker(held: false))
        );

        Assert.Equal(0, await RunAsync(farm, "workers", "rename", "rack-1", "rack-7"));
        Assert.Equal(0, await RunAsync(farm, "workers", "revoke", "rack-1"));

        Assert.Contains(("PATCH /v1/workers/w_1", """{"name":"rack-7"}"""), farm.Requests.Select(request => (request.Line, request.Body)));
        Assert.Contains("DELETE /v1/workers/w_1", farm.Requests.Select(request => request.Line));
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

    [Fact]
    public async Task Models_WithoutAWordMore_SaysWhoHasWhichAndWhatIsMissingWhere()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                (
                    200,
                    request.RawUrl == "/v1/workers"
                        ? """
                        {"data":[{"id":"w_1","name":"rack-1","status":"live"},{"id":"w_2","name":"rack-2","status":"live"},
                            {"id":"w_3","name":"rack-3","status":"live"},{"id":"w_4","name":"rack-4","status":"gone"}]}
                        """
                        : """
                        {"data":[{"id":"t2v-14b","available":true,"takes_picture":false,"defaults":{"width":832,"height":480,"frames":81,
                            "steps":50},"workers":[
                            {"id":"w_1","name":"rack-1","status":"live","lacks":[]},
                            {"id":"w_2","name":"rack-2","status":"live","lacks":[
                                {"component":"vae","file":"Wan2.1_VAE.pth","state":"missing"}]},
                            {"id":"w_4","name":"rack-4","status":"gone","lacks":[]}]}]}
                        """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "models"));

        var line = Console.Output.Split('\n').Single(line => line.StartsWith("t2v-14b", StringComparison.Ordinal));
        Assert.Matches(@"^t2v-14b +rack-1 rack-2\* +rack-3 ", line);
        Assert.Contains("* rack-2 can't render t2v-14b: vae (Wan2.1_VAE.pth missing)", Console.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("rack-4", Console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Workers_VideosWaitForAModelThatNobodyHas_SaysSo()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"data":[],"unheld":[{"model":"t2v-14b","queued":3}]}"""));

        Assert.Equal(0, await RunAsync(farm, "workers"));

        Assert.Contains(
            "no connected worker has model t2v-14b whole, and 3 videos wait for it: see models",
            Console.Output,
            StringComparison.Ordinal
        );
    }

    private const string Held = """{"slot":"gpu0","stage":"denoising","video_id":"video_1"}""";

    private static string Worker(bool held) =>
        $$"""{"id":"w_1","name":"rack-1","status":"draining","slots":[],"models":[],"held":[{{(held ? Held : "")}}]}""";
}
