using System.CommandLine;
using System.Text.Json.Nodes;
using RenderFarm.Cli.Commands;
using RenderFarm.Cli.Http;
using RenderFarm.Testing;
using Spectre.Console.Testing;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary>
/// Verbs against a farm: what they send, what they print for people and for programs, how they end. Some change the environment,
/// so one at a time.
/// </summary>
public sealed class VerbTests : IDisposable
{
    private readonly TestConsole _console = new();
    private readonly StringWriter _errors = new();
    private readonly TemporaryFolder _folder = new();

    public VerbTests()
    {
        _console.Profile.Width = 400;
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", _folder.Path);
    }

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("XDG_CONFIG_HOME", null);
        _console.Dispose();
        _errors.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Submit_WithEveryOption_SendsWhatTheFarmReads()
    {
        await using var farm = new StubFarm((_, _) => (200, Video("queued")));

        var code = await RunAsync(
            farm,
            "submit", "a cat", "--model", "t2v-14b", "--size", "832x480", "--seconds", "2", "--seed", "7", "--lora",
            "film:0.5", "--lora", "grain", "--metadata", "shot=12=b", "--priority", "60", "--max-attempts", "2",
            "--image", "https://example.org/a.png", "--idempotency-key",
            "once"
        );

        Assert.Equal((0, "video_1"), (code, _console.Output.Trim()));
        var sent = Assert.Single(farm.Requests);
        Assert.Equal(("POST /v1/videos", "Bearer rf_test", "once"), (sent.Line, sent.Key, sent.IdempotencyKey));
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse(
                    """
                    {"prompt":"a cat","model":"t2v-14b","size":"832x480","seconds":"2","seed":7,"loras":[{"name":"film","strength":0.5},
                     {"name":"grain"}],
                     "metadata":{"shot":"12=b"},"priority":60,"max_attempts":2,"input_reference":{"image_url":"https://example.org/a.png"}}
                    """
                ),
                JsonNode.Parse(sent.Body)
            ),
            sent.Body
        );
    }

    [Fact]
    public async Task Submit_WithAPictureOfThisMachine_SendsItAsAFile()
    {
        await using var farm = new StubFarm((_, _) => (200, Video("queued")));
        await File.WriteAllTextAsync(_folder.File("boat.png"), "PIXELS", TestContext.Current.CancellationToken);

        Assert.Equal(0, await RunAsync(farm, "submit", "a cat", "--seed", "7", "--image", _folder.File("boat.png")));

        var body = Assert.Single(farm.Requests).Body;
        Assert.Contains("name=input_reference; filename=boat.png", body, StringComparison.Ordinal);
        Assert.Contains("PIXELS", body, StringComparison.Ordinal);
        Assert.Contains("name=seed\r\n\r\n7\r\n", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_Json_PrintsTheVideoAsTheFarmGaveIt()
    {
        await using var farm = new StubFarm((_, _) => (200, Video("queued")));

        Assert.Equal(0, await RunAsync(farm, "submit", "a cat", "--json"));

        Assert.Equal("a member of tomorrow", (string?)JsonNode.Parse(_console.Output)!["unknown"]);
        Assert.Single(_console.Output.TrimEnd().Split('\n'));
    }

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

        Assert.Equal(code, (string?)JsonNode.Parse(_errors.ToString())!["error"]!["code"]);
        Assert.Empty(_console.Output);
    }

    [Fact]
    public async Task AnyVerb_WithoutAFarm_EndsWithThree() =>
        Assert.Equal(ExitCodes.Unavailable, await RunAsync("list", "--url", "http://127.0.0.1:1", "--key", "rf_test"));

    [Fact]
    public async Task Watch_AFailedVideo_EndsWithOneAndSaysWhy()
    {
        await using var farm = new StubFarm(
            (_, _) => (200, Video("failed", ""","error":{"code":"gpu_out_of_memory","message":"too big"}"""))
        );

        Assert.Equal(ExitCodes.Failure, await RunAsync(farm, "watch", "video_1"));
        Assert.Contains("gpu_out_of_memory: too big", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_CtrlC_LeavesTheVideoAndSaysHowToComeBack()
    {
        using var ctrlC = new CancellationTokenSource();
        await using var farm = new StubFarm(
            (request, _) =>
            {
                if (request.HttpMethod == "GET")
                {
                    ctrlC.Cancel();
                }

                return (200, Video("in_progress"));
            }
        );

        var code = await Parse("render", "a cat", "-o", _folder.File("a.mp4"), "--url", farm.Url, "--key", "rf_test")
            .InvokeAsync(cancellationToken: ctrlC.Token);

        Assert.Equal(ExitCodes.Interrupted, code);
        Assert.Contains("./farm watch video_1", _errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(farm.Requests, request => request.Line.Contains("cancel", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Render_Finished_DownloadsAndNamesTheFile()
    {
        await using var farm = new StubFarm(
            (request, _) => request.RawUrl!.EndsWith("/content", StringComparison.Ordinal) ? (200, "MP4") : (200, Video("completed"))
        );

        Assert.Equal(0, await RunAsync(farm, "render", "a cat", "-o", _folder.File("a.mp4"), "--json"));

        Assert.Equal(_folder.File("a.mp4"), (string?)JsonNode.Parse(_console.Output)!["file"]);
        Assert.Equal("MP4", await File.ReadAllTextAsync(_folder.File("a.mp4"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("render", "a cat")]
    [InlineData("watch", "video_1")]
    public async Task RenderAndWatch_FinishedWithAWarning_SayIt(string verb, string argument)
    {
        var finished = Video("completed", ""","warning":"demo never saw the words 'cat'" """);
        await using var farm = new StubFarm(
            (request, _) => request.RawUrl!.EndsWith("/content", StringComparison.Ordinal) ? (200, "MP4") : (200, finished)
        );
        string[] options = verb == "render" ? ["-o", _folder.File("a.mp4")] : [];

        Assert.Equal(0, await RunAsync(farm, [verb, argument, .. options]));

        Assert.Contains("Warning: demo never saw the words 'cat'", _console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_OfAll_GoesThroughThePages()
    {
        await using var farm = new StubFarm(
            (request, _) =>
                request.RawUrl!.Contains("after=video_1", StringComparison.Ordinal)
                    ? (200, $$"""{"data":[{{Video("failed")}}],"has_more":false,"last_id":"video_1"}""")
                    : (200, $$"""{"data":[{{Video("queued")}},{{Video("completed")}}],"has_more":true,"last_id":"video_1"}""")
        );

        Assert.Equal(0, await RunAsync(farm, "list", "--limit", "0", "--json"));

        Assert.Equal(
            ["queued", "completed", "failed"],
            _console.Output.TrimEnd().Split('\n').Select(line => (string?)JsonNode.Parse(line)!["status"])
        );
        Assert.Equal(
            ["GET /v1/videos?limit=100&order=desc", "GET /v1/videos?limit=100&order=desc&after=video_1"],
            farm.Requests.Select(request => request.Line)
        );
    }

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
                        "/v1/batches" => Batch("queued", 0, 0),
                        "/v1/batches/batch_1" => looks++ == 0 ? Batch("in_progress", 1, 0) : Batch("completed", 1, 1),
                        "/v1/batches/batch_1/manifest" => Lines,
                        _ => "MP4",
                    }
                )
        );
        await File.WriteAllTextAsync(_folder.File("a.jsonl"), """{"prompt":"a"}""" + "\n", TestContext.Current.CancellationToken);

        // One of its videos has failed, and so has it.
        Assert.Equal(
            ExitCodes.Failure,
            await RunAsync(farm, "batch", _folder.File("a.jsonl"), "--out", _folder.File("clips"), "--idempotency-key", "night")
        );

        Assert.Equal(["00001-video_1.mp4"], Directory.GetFiles(_folder.File("clips")).Select(Path.GetFileName));
        Assert.Contains("1 completed, 1 failed", _console.Output, StringComparison.Ordinal);
        Assert.Equal(
            ("POST /v1/batches", "night", """{"prompt":"a"}""" + "\n"),
            farm.Requests.First() is var first ? (first.Line, first.IdempotencyKey, first.Body) : default
        );
    }

    [Fact]
    public async Task Cancel_ABatch_SpeaksToTheBatch()
    {
        await using var farm = new StubFarm((_, _) => (200, Batch("cancelled", 1, 1)));

        Assert.Equal(0, await RunAsync(farm, "cancel", "batch_1"));
        Assert.Equal("POST /v1/batches/batch_1/cancel", Assert.Single(farm.Requests).Line);
        Assert.Equal(ExitCodes.Refused, await RunAsync("batch", _folder.File("missing.jsonl")));
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
        await File.WriteAllTextAsync(_folder.File("a.jsonl"), "{}\n", TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Refused, await RunAsync(farm, "batch", _folder.File("a.jsonl")));
        Assert.Contains("line 1: There is no parameter 'stepz'.", _errors.ToString(), StringComparison.Ordinal);
        Assert.Contains("line 3: 'prompt' is required.", _errors.ToString(), StringComparison.Ordinal);
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
                        {"id":"gpu1","card":"card","total_bytes":1073741824,"quarantine":"no encoder"}]}]}
                    """
                )
        );

        Assert.Equal(0, await RunAsync(farm, "workers"));

        Assert.Contains("rack-1, slot gpu1, takes no jobs: no encoder", _console.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("slot gpu0", _console.Output, StringComparison.Ordinal);
    }

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
        Assert.Contains("still holds video_1 (denoising)", _console.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Refused, await RunAsync(farm, "drain", "rack-9"));
        Assert.Contains("there are rack-1", _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Login_KeepsTheKeyForItsFarmAlone()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"data":[],"has_more":false,"last_id":null}"""));
        await using var other = new StubFarm((_, _) => (200, """{"data":[],"has_more":false,"last_id":null}"""));

        Assert.Equal(0, await RunAsync("login", farm.Url + "/", "--key", "rf_saved"));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SavedLogin.FilePath));
        }

        Assert.StartsWith(_folder.Path, SavedLogin.FilePath, StringComparison.Ordinal);
        Assert.Equal(0, await RunAsync("list"));
        Assert.All(farm.Requests, request => Assert.Equal("Bearer rf_saved", request.Key));

        await RunAsync("list", "--url", other.Url);
        Assert.DoesNotContain(other.Requests, request => request.Key == "Bearer rf_saved");
        Assert.Equal(0, await RunAsync("logout"));
        Assert.False(File.Exists(SavedLogin.FilePath));
    }

    [Fact]
    public async Task Login_WithAKeyThatTheFarmDoesNotKnow_KeepsNothing()
    {
        await using var farm = new StubFarm(
            (_, _) => (401, """{"error":{"message":"unknown","type":"x","param":null,"code":"invalid_api_key"}}""")
        );

        Assert.Equal(ExitCodes.Refused, await RunAsync("login", farm.Url, "--key", "rf_wrong"));
        Assert.False(File.Exists(SavedLogin.FilePath));
    }

    [Fact]
    public async Task Keys_Create_SendsLimitsAndPrintsTheSecretAlone()
    {
        await using var farm = new StubFarm((_, _) => (200, """{"id":"key_1","key":"rf_new"}"""));

        Assert.Equal(0, await RunAsync(farm, "keys", "create", "studio", "--scope", "submit", "--queued", "5", "--per-day", "9"));

        Assert.Equal("rf_new", _console.Output.Trim());
        Assert.True(
            JsonNode.DeepEquals(
                JsonNode.Parse("""{"name":"studio","quotas":{"queued":5,"per_day":9},"scopes":["submit"]}"""),
                JsonNode.Parse(Assert.Single(farm.Requests).Body)
            )
        );
    }

    [Fact]
    public async Task Plan_Json_HasTheFiguresFirst_HereAndFromTheServer()
    {
        Assert.Equal(0, await RunAsync("plan", "--vram", "24", "--model", "t2v-14b", "--size", "832x480", "--frames", "81", "--json"));
        var here = JsonNode.Parse(_console.Output)!;
        Assert.All(
            (string[])
                [
                    "precision", "blocks_resident", "blocks_streamed", "predicted_peak_bytes", "predicted_seconds",
                    "fits", "reasons", "alternatives",
                ],
            name => Assert.NotNull(here[name])
        );

        var answer = new JsonObject
        {
            ["plan"] = here.DeepClone(),
            ["budget_gib"] = 23,
            ["refusal"] = null,
            ["alternatives"] = new JsonArray(here.DeepClone()),
        };
        await using var farm = new StubFarm((_, _) => (200, answer.ToJsonString()));
        var before = _console.Output.Length;
        Assert.Equal(0, await RunAsync(farm, "plan", "--server", "--vram", "24", "--model", "mine", "--json"));
        Assert.Equal((long)here["predicted_peak_bytes"]!, (long)JsonNode.Parse(_console.Output[before..])!["predicted_peak_bytes"]!);
        Assert.Equal("""{"model":"mine","vram_gib":24}""", farm.Requests.Single().Body);
    }

    [Theory]
    [InlineData("--size", "833x481", "multiples of 16")]
    [InlineData("--size", "100000x100000", "at most 921600 pixels")]
    [InlineData("--frames", "80", "4n+1")]
    [InlineData("--steps", "0", "from 1 to 100")]
    [InlineData("--size", "16400x16", "at most 16384 pixels")]
    [InlineData("--guidance", "21", "from 0 to 20")]
    [InlineData("--loras", "9", "from 0 to 8")]
    [InlineData("--step-cache", "deepcache", "not one of: teacache, magcache")]
    public async Task Plan_WhatNoFarmWouldRender_IsRefusedByName(string option, string value, string reason)
    {
        Assert.Equal(ExitCodes.Refused, await RunAsync("plan", option, value));
        Assert.Contains(option, _errors.ToString(), StringComparison.Ordinal);
        Assert.Contains(reason, _errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_LorasAndStepCache_AreCountedHereAndAskedOfAServer()
    {
        Assert.Equal(0, await RunAsync("plan", "--vram", "12", "--loras", "2", "--step-cache", "magcache", "--json"));
        var here = JsonNode.Parse(_console.Output)!.AsObject();
        Assert.True((long)here["lora_bytes"]! > 1L << 30);
        Assert.True((long)here["step_cache_bytes"]! > 1L << 29);

        var answer = new JsonObject
        {
            ["plan"] = here,
            ["budget_gib"] = 12,
            ["refusal"] = null,
            ["alternatives"] = new JsonArray(),
        };
        await using var farm = new StubFarm((_, _) => (200, answer.ToJsonString()));
        Assert.Equal(0, await RunAsync(farm, "plan", "--server", "--vram", "12", "--loras", "1", "--step-cache", "teacache", "--json"));
        Assert.Equal(
            """{"model":"t2v-14b","vram_gib":12,"loras":[{"name":"lora-1"}],"step_cache":{"kind":"teacache"}}""",
            farm.Requests.Single().Body
        );
    }

    [Fact]
    public async Task Plan_ForAllCards_IsALineEach_AndOneThatFitsNoneIsAFailure()
    {
        Assert.Equal(0, await RunAsync("plan", "--vram", "all", "--json"));
        Assert.Equal(
            [6, 8, 12, 16, 24, 32, 48, 80],
            _console.Output.TrimEnd().Split('\n').Select(line => (int)JsonNode.Parse(line)!["vram_gib"]!)
        );

        var before = _console.Output.Length;
        Assert.Equal(ExitCodes.Failure, await RunAsync("plan", "--vram", "1", "--json"));
        Assert.False((bool)JsonNode.Parse(_console.Output[before..])!["fits"]!);
        Assert.Equal(ExitCodes.Refused, await RunAsync("plan", "--vram", "lots"));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _farm")]
    [InlineData("zsh", "compdef _farm")]
    [InlineData("fish", "complete -c farm")]
    public async Task Completion_OfEachShell_IsAScript(string shell, string holds)
    {
        Assert.Equal(0, await RunAsync("completion", shell));
        Assert.Contains(holds, _console.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ren", "render")]
    [InlineData("render a --mo", "--model")]
    [InlineData("render a --model t2v-1", "t2v-14b")]
    [InlineData("download v --variant ", "spritesheet")]
    [InlineData("keys c", "create")]
    public async Task Suggest_APart_OffersWhatComesNext(string line, string offer)
    {
        using var output = new StringWriter();
        await Parse($"[suggest:{line.Length}]", line)
            .InvokeAsync(new InvocationConfiguration { Output = output }, TestContext.Current.CancellationToken);

        Assert.Contains(offer, output.ToString().Split('\n').Select(word => word.Trim()));
    }

    [Fact]
    public async Task Help_OfAVerb_EndsWithExamplesThatParse()
    {
        foreach (var verb in FarmCommand.Create(_console, _errors, TimeProvider.System).Subcommands)
        {
            using var output = new StringWriter();
            await Parse(verb.Name, "--help")
                .InvokeAsync(new InvocationConfiguration { Output = output }, TestContext.Current.CancellationToken);
            foreach (
                var example in output
                    .ToString()
                    .Split('\n')
                    .Select(line => line.Trim())
                    .Where(line => line.StartsWith("./farm ", StringComparison.Ordinal))
            )
            {
                var own = example["./farm ".Length..].Split([" | ", " > ", " >> ", " && ", " < "], StringSplitOptions.None)[0];
                Assert.Empty(FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(own).Errors);
            }
        }
    }

    private Task<int> RunAsync(StubFarm farm, params string[] arguments) => RunAsync([.. arguments, "--url", farm.Url, "--key", "rf_test"]);

    private Task<int> RunAsync(params string[] arguments) =>
        Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);

    private ParseResult Parse(params string[] arguments) => FarmCommand.Create(_console, _errors, TimeProvider.System).Parse(arguments);

    private static string Video(string status, string more = "") =>
        $$"""
            {"id":"video_1","object":"video","status":"{{status}}","model":"demo","seed":7,"stage":"denoising",
            "unknown":"a member of tomorrow"{{more}}}
            """;

    private static string Batch(string status, int completed, int failed) =>
        $$$"""
            {"id":"batch_1","status":"{{{status}}}","total":2,"progress":{{{50 * (completed + failed)}}},
            "counts":{"queued":{{{2 - completed - failed}}},"in_progress":0,"completed":{{{completed}}},"failed":{{{failed}}},
            "cancelled":0}}
            """;

    private const string Held = """{"slot":"gpu0","stage":"denoising","video_id":"video_1"}""";

    private static string Worker(bool held) =>
        $$"""{"id":"w_1","name":"rack-1","status":"draining","slots":[],"models":[],"held":[{{(held ? Held : "")}}]}""";
}
