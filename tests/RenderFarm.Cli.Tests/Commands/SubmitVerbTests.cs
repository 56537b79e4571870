using System.Text.Json.Nodes;

namespace RenderFarm.Cli.Tests.Commands;

/// <summary><c>submit</c> and <c>render</c>.</summary>
[Collection(nameof(VerbsUnderTest))]
public sealed class SubmitVerbTests : VerbsUnderTest
{
    [Fact]
    public async Task Submit_WithEveryOption_SendsWhatTheFarmReads()
    {
        await using var farm = new StubFarm((_, _) => (200, VideoIs("queued")));

        var code = await RunAsync(
            farm,
            "submit", "a cat", "--model", "t2v-14b", "--size", "832x480", "--seconds", "2", "--seed", "7", "--lora",
            "film:0.5", "--lora", "grain", "--metadata", "shot=12=b", "--priority", "60", "--max-attempts", "2",
            "--image", "https://example.org/a.png", "--idempotency-key",
            "once"
        );

        Assert.Equal((0, "video_1"), (code, Console.Output.Trim()));
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
        await using var farm = new StubFarm((_, _) => (200, VideoIs("queued")));
        await File.WriteAllTextAsync(Folder.File("boat.png"), "PIXELS", TestContext.Current.CancellationToken);

        Assert.Equal(0, await RunAsync(farm, "submit", "a cat", "--seed", "7", "--image", Folder.File("boat.png")));

        var body = Assert.Single(farm.Requests).Body;
        Assert.Contains("name=input_reference; filename=boat.png", body, StringComparison.Ordinal);
        Assert.Contains("PIXELS", body, StringComparison.Ordinal);
        Assert.Contains("name=seed\r\n\r\n7\r\n", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_Json_PrintsTheVideoAsTheFarmGaveIt()
    {
        await using var farm = new StubFarm((_, _) => (200, VideoIs("queued")));

        Assert.Equal(0, await RunAsync(farm, "submit", "a cat", "--json"));

        Assert.Equal("a member of tomorrow", (string?)JsonNode.Parse(Console.Output)!["unknown"]);
        Assert.Single(Console.Output.TrimEnd().Split('\n'));
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

                return (200, VideoIs("in_progress"));
            }
        );

        var code = await Parse("render", "a cat", "-o", Folder.File("a.mp4"), "--url", farm.Url, "--key", "rf_test")
            .InvokeAsync(cancellationToken: ctrlC.Token);

        Assert.Equal(ExitCodes.Interrupted, code);
        Assert.Contains("./farm watch video_1", Errors.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(farm.Requests, request => request.Line.Contains("cancel", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Render_Finished_DownloadsAndNamesTheFile()
    {
        await using var farm = new StubFarm(
            (request, _) => request.RawUrl!.EndsWith("/content", StringComparison.Ordinal) ? (200, "MP4") : (200, VideoIs("completed"))
        );

        Assert.Equal(0, await RunAsync(farm, "render", "a cat", "-o", Folder.File("a.mp4"), "--json"));

        Assert.Equal(Folder.File("a.mp4"), (string?)JsonNode.Parse(Console.Output)!["file"]);
        Assert.Equal("MP4", await File.ReadAllTextAsync(Folder.File("a.mp4"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("render", "a cat")]
    [InlineData("watch", "video_1")]
    public async Task RenderAndWatch_FinishedWithAWarning_SayIt(string verb, string argument)
    {
        var finished = VideoIs("completed", ""","warning":"demo never saw the words 'cat'" """);
        await using var farm = new StubFarm(
            (request, _) => request.RawUrl!.EndsWith("/content", StringComparison.Ordinal) ? (200, "MP4") : (200, finished)
        );
        string[] options = verb == "render" ? ["-o", Folder.File("a.mp4")] : [];

        Assert.Equal(0, await RunAsync(farm, [verb, argument, .. options]));

        Assert.Contains("Warning: demo never saw the words 'cat'", Console.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_OntoAFileThatIsThere_IsRefusedBeforeAnythingIsSubmitted()
    {
        await using var farm = new StubFarm((_, _) => (200, VideoIs("completed")));
        var path = Folder.File("a.mp4");
        await File.WriteAllTextAsync(path, "mine", TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Refused, await RunAsync(farm, "render", "a cat", "-o", path));

        Assert.Empty(farm.Requests);
        Assert.Equal("mine", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Contains($"{path} is there already: --force replaces it", Errors.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_AFileThatCameMeanwhile_IsLeftAlone()
    {
        var path = Folder.File("a.mp4");
        await using var farm = new StubFarm(
            (request, _) =>
            {
                if (!request.RawUrl!.EndsWith("/content", StringComparison.Ordinal))
                {
                    return (200, VideoIs("completed"));
                }

                File.WriteAllText(path, "mine");
                return (200, "MP4");
            }
        );

        Assert.Equal(ExitCodes.Failure, await RunAsync(farm, "render", "a cat", "-o", path));

        Assert.Equal("mine", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal([path], Directory.EnumerateFiles(Folder.Path));
    }
}
