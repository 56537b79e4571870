using System.Net;

namespace RenderFarm.Api.Tests.Videos;

public sealed class ContentTests(ContentTests.FinishedVideo fixture) : IClassFixture<ContentTests.FinishedVideo>
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7))];
    private readonly TestFarm _farm = fixture.Farm;
    private readonly string _path = $"/v1/videos/{fixture.Id}/content";

    [Fact]
    public async Task Get_TheWhole_HasLengthTypeAndTag()
    {
        var reply = await _farm.User.GetAsync(_path);

        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        Assert.Equal(
            ("video/mp4", Bytes.Length),
            (reply.Content.Headers.ContentType!.MediaType, (int)reply.Content.Headers.ContentLength!)
        );
        Assert.NotNull(reply.Headers.ETag);
        Assert.Equal("bytes", reply.Headers.AcceptRanges.Single());
        Assert.Equal(Bytes, await reply.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("bytes=0-99", 0, 100)]
    [InlineData("bytes=99990-", 99_990, 10)]
    [InlineData("bytes=-5", 99_995, 5)]
    [InlineData("bytes=99999-200000", 99_999, 1)]
    [InlineData("bytes=-200000", 0, 100_000)]
    public async Task Get_ARange_IsThatPart(string range, int first, int length)
    {
        var reply = await _farm.User.SendAsync(Get(("Range", range)));

        Assert.Equal(HttpStatusCode.PartialContent, reply.StatusCode);
        Assert.Equal($"bytes {first}-{first + length - 1}/{Bytes.Length}", reply.Content.Headers.ContentRange!.ToString());
        Assert.Equal(length, (int)reply.Content.Headers.ContentLength!);
        Assert.Equal(Bytes[first..(first + length)], await reply.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Get_ARangeOutside_Is416WithTheSize()
    {
        var reply = await _farm.User.SendAsync(Get(("Range", "bytes=100000-")));

        Assert.Equal(416, (await reply.RefusalAsync()).Status);
        Assert.Equal($"bytes */{Bytes.Length}", reply.Content.Headers.ContentRange!.ToString());
    }

    [Fact]
    public async Task Get_ARangeOfAnotherVersion_IsTheWhole()
    {
        var reply = await _farm.User.SendAsync(Get(("Range", "bytes=0-9"), ("If-Range", "\"another\"")));

        Assert.Equal((HttpStatusCode.OK, Bytes.Length), (reply.StatusCode, (int)reply.Content.Headers.ContentLength!));
    }

    [Fact]
    public async Task Get_WhatTheClientHas_Is304()
    {
        var tag = (await _farm.User.SendAsync(new HttpRequestMessage(HttpMethod.Head, _path))).Headers.ETag!;

        Assert.Equal(HttpStatusCode.NotModified, (await _farm.User.SendAsync(Get(("If-None-Match", tag.ToString())))).StatusCode);
    }

    [Fact]
    public async Task Get_WithAnOddAccept_IsServedAllTheSame() =>
        Assert.Equal(HttpStatusCode.OK, (await _farm.User.SendAsync(Get(("Accept", "application/binary")))).StatusCode);

    [Fact]
    public async Task Head_TheWhole_HasLengthAndNoBody()
    {
        var reply = await _farm.User.SendAsync(new HttpRequestMessage(HttpMethod.Head, _path));

        Assert.Equal(Bytes.Length, (int)reply.Content.Headers.ContentLength!);
        Assert.Empty(await reply.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Get_AVariantThatWasNotMade_Is404_AndAnUnknownOneIs400()
    {
        Assert.Equal(
            (404, "not_found"),
            await (await _farm.User.GetAsync(_path + "?variant=spritesheet")).RefusalAsync() is var a ? (a.Status, a.Code) : default
        );
        Assert.Equal(
            (400, "variant"),
            await (await _farm.User.GetAsync(_path + "?variant=gif")).RefusalAsync() is var b ? (b.Status, b.Param) : default
        );
    }

    [Fact]
    public async Task Get_AMisspeltVariant_IsNotTheVideo() =>
        Assert.Equal(
            (400, "varient"),
            await (await _farm.User.GetAsync($"{_path}?varient=thumbnail")).RefusalAsync() is var r ? (r.Status, r.Param) : default
        );

    [Fact]
    public async Task Get_OfAQueuedVideo_Is409()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;

        Assert.Equal(
            (409, "content_not_ready"),
            await (await _farm.User.GetAsync($"/v1/videos/{id}/content")).RefusalAsync() is var r ? (r.Status, r.Code) : default
        );
    }

    [Fact]
    public async Task Video_Finished_TellsWhatItTook()
    {
        var video = await (await _farm.User.GetAsync(_path[..^"/content".Length])).JsonAsync();

        Assert.Equal(("completed", 100, "done"), ((string)video["status"]!, (int)video["progress"]!, (string)video["stage"]!));
        Assert.NotNull(video["completed_at"]);
        Assert.Equal((int)video["steps"]!, (int)video["step"]!);
        Assert.Equal(
            (0.5, 1 << 20, 2 << 20, "cpu"),
            (
                (double)video["usage"]!["step_seconds"]!,
                (int)video["usage"]!["peak_bytes"]!,
                (int)video["usage"]!["predicted_peak_bytes"]!,
                (string)video["usage"]!["gpu"]!
            )
        );
    }

    [Fact]
    public async Task Attempts_OfAFinishedVideo_AreItsOneLease()
    {
        var attempts = await (await _farm.User.GetAsync(_path.Replace("/content", "/attempts", StringComparison.Ordinal))).JsonAsync();

        var attempt = Assert.Single(attempts["data"]!.AsArray())!;
        Assert.Equal((1, "completed", "cpu"), ((int)attempt["number"]!, (string)attempt["outcome"]!, (string)attempt["slot"]!));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task Get_AFileOfAnotherLengthThanRecorded_IsRefusedAndNothingSent(int longer)
    {
        await using var farm = await TestFarm.StartAsync();
        var id = await farm.FinishVideoAsync(Bytes);
        var file = Directory.EnumerateFiles(farm.Home, "video.mp4", SearchOption.AllDirectories).Single();
        using (var stored = new FileStream(file, FileMode.Open))
        {
            stored.SetLength(Bytes.Length + longer);
        }

        foreach (var range in new[] { null, "bytes=0-9" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/videos/{id}/content");
            request.Headers.TryAddWithoutValidation("Range", range);
            var refusal = await (await farm.User.SendAsync(request)).RefusalAsync();

            Assert.Equal((409, "content_damaged"), (refusal.Status, refusal.Code));
        }
    }

    [Fact]
    public async Task Get_ContentThatIsGone_IsARefusalThatNobodyCaches()
    {
        await using var other = await TestFarm.StartAsync();
        var id = await other.FinishVideoAsync(Bytes);
        await foreach (var stored in other.Artifacts.ListAsync($"videos/{id}/", CancellationToken.None))
        {
            await other.Artifacts.DeleteAsync(stored.Key, CancellationToken.None);
        }

        var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/videos/{id}/content");
        request.Headers.TryAddWithoutValidation("Range", "bytes=0-9");
        var reply = await other.User.SendAsync(request);

        Assert.Equal((404, "expired"), await reply.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        Assert.Equal((null, null, null), (reply.Headers.CacheControl, reply.Headers.ETag, reply.Content.Headers.ContentRange));
    }

    private HttpRequestMessage Get(params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    public sealed class FinishedVideo : IAsyncLifetime
    {
        public TestFarm Farm { get; private set; } = null!;
        public string Id { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Farm = await TestFarm.StartAsync();
            Id = await Farm.FinishVideoAsync(Bytes);
        }

        public ValueTask DisposeAsync() => Farm.DisposeAsync();
    }
}
