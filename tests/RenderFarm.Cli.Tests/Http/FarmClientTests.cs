using System.Net;
using Microsoft.Extensions.Time.Testing;
using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Http;

public sealed class FarmClientTests
{
    private const string Queued = """{"id":"video_1","object":"video","status":"queued","seed":7,"new_member":true}""";

    [Fact]
    public async Task SubmitAsync_Request_LeavesOutWhatWasNotGiven()
    {
        using var server = new StubServer(_ => StubServer.Json(Queued));
        using var client = new FarmClient("http://farm:8080/", "rf_key", TimeProvider.System, server);

        var video = await client.SubmitAsync(
            new VideoRequest
            {
                Prompt = "a ball",
                Size = "64x48",
                Seed = 7,
            },
            TestContext.Current.CancellationToken
        );

        var request = Assert.Single(server.Requests);
        Assert.Equal((HttpMethod.Post, "http://farm:8080/v1/videos", "rf_key"), (request.Method, request.Uri.ToString(), request.Key));
        Assert.Equal("""{"prompt":"a ball","size":"64x48","seed":7}""", request.Body);
        Assert.Equal(("video_1", VideoStatus.Queued, 7L), (video.Id, video.Status, video.Seed));
    }

    [Fact]
    public async Task SubmitAsync_Refused_CarriesCodeParamAndMessage()
    {
        using var server = new StubServer(_ =>
            StubServer.Json(
                """
                {"title":"Bad Request","status":400,"error":{"message":"frames: 10 is not 4n+1; 9 or 13 would do",
                "type":"invalid_request_error","param":"frames","code":"invalid_value"}}
                """,
                HttpStatusCode.BadRequest
            )
        );
        using var client = new FarmClient("http://farm:8080", "rf_key", TimeProvider.System, server);

        var error = await Assert.ThrowsAsync<FarmException>(() =>
            client.SubmitAsync(new VideoRequest { Prompt = "x" }, TestContext.Current.CancellationToken)
        );

        Assert.Equal(("invalid_value", "frames"), (error.Code, error.Param));
        Assert.Contains("9 or 13", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyCall_ForeignErrorPage_StillSaysTheStatus()
    {
        using var server = new StubServer(_ => new(HttpStatusCode.BadGateway) { Content = new StringContent("<html>no</html>") });
        using var client = new FarmClient("http://farm:8080", "rf_key", TimeProvider.System, server);

        var error = await Assert.ThrowsAsync<FarmException>(() => client.GetAsync("video_1", TestContext.Current.CancellationToken));

        Assert.Equal("http_502", error.Code);
    }

    [Fact]
    public async Task AnyCall_NobodyThere_SaysHowToStartAFarm()
    {
        using var server = new StubServer(_ => throw new HttpRequestException("Connection refused"));
        using var client = new FarmClient("http://farm:8080", "rf_key", TimeProvider.System, server);

        var error = await Assert.ThrowsAsync<FarmException>(() => client.GetAsync("video_1", TestContext.Current.CancellationToken));

        Assert.Equal("unreachable", error.Code);
        Assert.Contains("./farm up", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WatchAsync_StatesInOrder_ReportsEachAndReturnsTheLast()
    {
        var answers = new Queue<string>([
            Queued,
            Queued.Replace("queued", "in_progress", StringComparison.Ordinal),
            Queued.Replace("queued", "completed", StringComparison.Ordinal),
        ]);
        using var server = new StubServer(_ => StubServer.Json(answers.Dequeue()));
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        using var client = new FarmClient("http://farm:8080", "rf_key", time, server);
        var seen = new List<VideoStatus>();

        var watching = client.WatchAsync("video_1", video => seen.Add(video.Status), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(watching.IsCompleted);
            },
            TimeSpan.FromSeconds(20),
            "the watch to end",
            TestContext.Current.CancellationToken
        );

        Assert.Equal(VideoStatus.Completed, (await watching).Status);
        Assert.Equal([VideoStatus.Queued, VideoStatus.InProgress, VideoStatus.Completed], seen);
    }

    [Fact]
    public async Task DownloadAsync_Whole_ReplacesTheFile()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("out.mp4"), "old", TestContext.Current.CancellationToken);
        using var server = new StubServer(_ => new(HttpStatusCode.OK) { Content = new ByteArrayContent([1, 2, 3]) });
        using var client = new FarmClient("http://farm:8080", "rf_key", TimeProvider.System, server);

        await client.DownloadAsync("video_1", OutputFile.Named(folder.File("out.mp4")), TestContext.Current.CancellationToken);

        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(folder.File("out.mp4"), TestContext.Current.CancellationToken));
        Assert.Single(Directory.EnumerateFiles(folder.Path));
    }

    [Fact]
    public async Task DownloadAsync_BrokenOff_LeavesTheOldFileAndNothingElse()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.File("out.mp4"), "old", TestContext.Current.CancellationToken);
        using var server = new StubServer(_ => new(HttpStatusCode.OK) { Content = new StreamContent(new BreakingStream()) });
        using var client = new FarmClient("http://farm:8080", "rf_key", TimeProvider.System, server);

        await Assert.ThrowsAnyAsync<Exception>(() =>
            client.DownloadAsync("video_1", OutputFile.Named(folder.File("out.mp4")), TestContext.Current.CancellationToken)
        );

        Assert.Equal("old", await File.ReadAllTextAsync(folder.File("out.mp4"), TestContext.Current.CancellationToken));
        Assert.Single(Directory.EnumerateFiles(folder.Path));
    }

    /// <summary>Gives a few bytes, then the connection is lost.</summary>
    private sealed class BreakingStream : MemoryStream
    {
        private bool _begun;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_begun)
            {
                throw new IOException("connection reset");
            }

            _begun = true;
            return ValueTask.FromResult(Math.Min(3, buffer.Length));
        }
    }
}
