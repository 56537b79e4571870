using System.Text;
using RenderFarm.Api.Batches;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Tests.Requests;

/// <summary>What becomes a tree, what lies beside it, and what is refused before it is one.</summary>
public sealed class JsonBodyTests
{
    private const int Long = BodyShape.LongText + 1;

    [Fact]
    public void Read_AListThatNoRequestHas_IsRefusedBeforeItIsATree()
    {
        var json = Encoding.UTF8.GetBytes("{\"loras\":[" + string.Join(',', Enumerable.Repeat(1, 13_000_000)) + "]}");
        var before = GC.GetAllocatedBytesForCurrentThread();

        var refused = Assert.Throws<ApiErrorException>(() => BodyReader.OfJson(json, BodyShape.Video));

        Assert.Equal((400, "invalid_request"), (refused.Error.Status, refused.Error.Code));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("{\"prompt\":\"*\"}", "prompt")]
    [InlineData("{\"input_reference\":{\"image_ur\":\"*\"}}", "input_reference.image_ur")]
    [InlineData("{\"input_reference.image_url\":\"*\"}", "input_reference.image_url")]
    [InlineData("{\"metadata\":{\"a\":[\"*\"]}}", "metadata.a[0]")]
    public void Read_ALongStringWhereNoneBelongs_IsRefusedByName(string json, string param)
    {
        var refused = Assert.Throws<ApiErrorException>(() => Read(json, BodyShape.Video));

        Assert.Equal((400, "invalid_value", param), (refused.Error.Status, refused.Error.Code, refused.Error.Param));
    }

    [Theory]
    [InlineData("{\"input_reference\":{\"image_url\":\"*\",\"image_url\":\"b\"}}")]
    [InlineData("{\"input_reference\":{\"image_url\":\"b\",\"image_url\":\"*\"}}")]
    [InlineData("{\"input_reference\":{\"image_url\":\"*\",\"image_url\":\"*\"}}")]
    public void Read_ALongStringGivenTwice_IsRefused(string json) =>
        Assert.Contains(
            "more than once",
            Assert.Throws<ApiErrorException>(() => Read(json, BodyShape.Video)).Error.Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Read_LongStrings_LieBesideTheTree()
    {
        var body = Read(
            "\ufeff{\"a\":1.50,\"input_reference\":{\"image_url\":\"*\"},\"b\":\"\\\"x\",\"last_frame\":{\"image_url\":\"*\"},\"c\":null}",
            BodyShape.Video
        );

        Assert.Equal("""{"a":1.50,"input_reference":{},"b":"\u0022x","last_frame":{},"c":null}""", body.Fields.ToJsonString());
        Assert.Equal(["input_reference.image_url", "last_frame.image_url"], body.LongTexts.Keys);
        foreach (var (_, text) in body.LongTexts)
        {
            using var letters = new StreamReader(text.Open());
            Assert.Equal(new string('A', Long), letters.ReadToEnd());
            Assert.True(text.StartsWith("aaa"));
            Assert.False(text.StartsWith("AAB"));
        }
    }

    [Fact]
    public void Open_ALongStringWithEscapes_IsWhatItStandsFor()
    {
        var body = Read("{\"input_reference\":{\"image_url\":\"\\u002B\\/\\n\\\"*\\\\\\u00e9\"}}", BodyShape.Video);

        using var stream = body.LongTexts["input_reference.image_url"].Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);

        Assert.Equal([.. "+/\n\""u8, .. Enumerable.Repeat((byte)'A', Long), (byte)'\\', 0xFF], copy.ToArray());
    }

    [Theory]
    [InlineData("[1]", "must be a JSON object")]
    [InlineData("null", "must be a JSON object")]
    [InlineData("{\"a\":1}{}", "not valid JSON")]
    [InlineData("{\"a\":1", "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("{\"a\":01}", "not valid JSON")]
    [InlineData("{\"a\":1,}", "not valid JSON")]
    [InlineData("{\"a\":\"\n\"}", "not valid JSON")]
    [InlineData("{\"a\":{\"b\":1,\"b\":2}}", "'a.b' is given more than once")]
    [InlineData("{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", "not valid JSON")]
    [InlineData("{\"a\":\"\\ud800\"}", "not valid Unicode")]
    [InlineData("{\"a\":\"\\u0000\"}", "U+0000")]
    [InlineData("{\"\\u0000\":1}", "U+0000")]
    public void Read_WhatIsNoRequest_IsRefusedSayingWhy(string json, string why) =>
        Assert.Contains(why, Assert.Throws<ApiErrorException>(() => Read(json, BodyShape.Fields)).Error.Message, StringComparison.Ordinal);

    /// <summary>Wherever a block of it ends: within a name, a number, an escape, a letter of several bytes.</summary>
    [Fact]
    public async Task Read_ABodyOnDisk_IsTheTreeThatItIsInMemory()
    {
        for (var pad = 65_400; pad < 65_540; pad++)
        {
            var json = Bytes(
                $$$"""{"pad":"{{{new string('x', pad)}}}","a b":[-1.50e3,true,null,{"ü€":"\u00e9\"𝄞"}],"""
                    + "\"input_reference\":{\"image_url\":\"*\"}}"
            );
            using var disk = await OnDiskAsync(json);

            var (here, there) = (BodyReader.OfJson(json, BodyShape.Video), JsonBody.Read(disk, BodyShape.Video));

            Assert.Equal(here.Fields.ToJsonString(), there.Fields.ToJsonString());
            Assert.Equal(here.LongTexts.Values.Select(text => text.Sha256), there.LongTexts.Values.Select(text => text.Sha256));
        }
    }

    [Theory]
    [InlineData("\ufeff{\"a\":\"~\"}", null)]
    [InlineData("{\"a\":\"~\",\"a\":1}", "'a' is given more than once")]
    [InlineData("{\"a\":\"~\"}}", "not valid JSON")]
    [InlineData("{\"a\":\"~\"", "not valid JSON")]
    [InlineData("{\"a\":\"~", "not valid JSON")]
    [InlineData("[\"~\"]", "must be a JSON object")]
    [InlineData("", "not valid JSON")]
    public async Task Read_ABodyOnDisk_IsRefusedSayingWhy(string json, string? why)
    {
        using var disk = await OnDiskAsync(Encoding.UTF8.GetBytes(json.Replace("~", new string('y', 150_000), StringComparison.Ordinal)));

        var refused = Record.Exception(() => JsonBody.Read(disk, BodyShape.Video)) as ApiErrorException;

        Assert.Equal(why is null, refused is null);
        Assert.Contains(why ?? "", refused?.Error.Message ?? "", StringComparison.Ordinal);
    }

    /// <summary>Texts of its lists stay on disk; who reads them sees what a tree of all of it would say.</summary>
    [Theory]
    [InlineData("""{"matrix":{"prompt":["~","short","~ü\u00e9\"𝄞\n"],"seed":[1,2]},"base":{"prompt":"~","loras":["~"]}}""")]
    [InlineData("""{"matrix":{"loras":[[{"name":"~"},"~"],[]],"~":["~"]},"metadata":{"~" : "~"}}""")]
    public async Task Read_AMatrixOnDisk_IsTheTreeThatItIsWhole(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json.Replace("~", new string('y', 70), StringComparison.Ordinal));
        using var disk = await OnDiskAsync(bytes);

        var (there, whole) = (JsonBody.Read(disk, BodyShape.Matrix).Fields, JsonBody.Read(new BodyBytes(bytes), BodyShape.Fields).Fields);

        Assert.Equal(whole.ToJsonString(), there.ToJsonString());
        Assert.Equal(whole.ToJsonString(), there.DeepClone().ToJsonString());
        Assert.Equal(TreeDigest.Of(whole), TreeDigest.Of(there));
        Assert.Empty(JsonBody.Read(disk, BodyShape.Matrix).LongTexts);
    }

    [Theory]
    [InlineData("""{"matrix":{"prompt":["a","~\ud800"]}}""", "'matrix.prompt[1]' holds text that is not valid Unicode")]
    [InlineData("""{"matrix":{"prompt":["~\u0000"]}}""", "'matrix.prompt[0]' holds the character U+0000")]
    [InlineData("""{"matrix":{"prompt":["~\x"]}}""", "within 'matrix.prompt[0]', 'x' is an invalid escapable character")]
    [InlineData("""{"base":{"prompt":"~\u0000"}}""", "'base.prompt' holds the character U+0000")]
    public async Task Read_AMatrixOnDiskWithATextThatIsNone_IsRefusedByName(string json, string why)
    {
        using var disk = await OnDiskAsync(Encoding.UTF8.GetBytes(json.Replace("~", new string('y', 70), StringComparison.Ordinal)));

        var refused = Assert.Throws<ApiErrorException>(() => TreeDigest.Of(JsonBody.Read(disk, BodyShape.Matrix).Fields));

        Assert.Equal(400, refused.Error.Status);
        Assert.Contains(why, refused.Error.Message, StringComparison.Ordinal);
    }

    /// <summary>A matrix may be eight MiB of texts; what is in memory of it is where they lie.</summary>
    [Fact]
    public async Task Read_AMatrixOnDisk_TakesLessThanItsTexts()
    {
        var texts = string.Join("\",\"", Enumerable.Repeat(new string('y', 700), 10_000));
        using var disk = await OnDiskAsync(Encoding.UTF8.GetBytes($$$"""{"matrix":{"prompt":["{{{texts}}}"]}}"""));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var body = JsonBody.Read(disk, BodyShape.Matrix);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5 << 20);
        Assert.Equal(10_000, body.Fields["matrix"]!["prompt"]!.AsArray().Count);
    }

    private static async Task<BodyBytes> OnDiskAsync(byte[] json)
    {
        using var source = new MemoryStream(json);
        return new BodyBytes((await SpooledFile.WriteAsync(source, long.MaxValue, TestContext.Current.CancellationToken))!);
    }

    private static byte[] Bytes(string json) => Encoding.UTF8.GetBytes(json.Replace("*", new string('A', Long), StringComparison.Ordinal));

    private static RequestBody Read(string json, BodyShape shape) =>
        BodyReader.OfJson(Bytes(json), shape);
}
