using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Xunit;
using Microsoft.AspNetCore.Http;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Inputs.Formats;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;

namespace RenderFarm.Api.Tests.BadInput;

/// <summary>
/// Whatever comes in is taken or refused by name; nothing of it is a fault of ours. <c>RENDERFARM_FUZZ_ROUNDS</c> makes the runs
/// longer.
/// </summary>
public sealed class FuzzTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private static readonly ModelRegistration Tiny = new("tiny", ModelShapes.Tiny, new Dictionary<string, string>());

    private static readonly int Rounds = int.TryParse(
        Environment.GetEnvironmentVariable("RENDERFARM_FUZZ_ROUNDS"),
        NumberStyles.None,
        CultureInfo.InvariantCulture,
        out var rounds
    )
        ? rounds
        : 1;
    private readonly TestFarm _farm = fixture.Farm;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Submissions_OfAnyShape_AreAnsweredAndNeverBy500(int seed) =>
        await AnsweredAsync(seed, requests => requests.Submission(), 150);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Questions_OfAnyShape_AreAnsweredAndNeverBy500(int seed) =>
        await AnsweredAsync(seed, requests => requests.Question(), 200);

    [Fact]
    public void Read_AnyTree_IsARequestThatCanBePlannedOrARefusal()
    {
        var (read, refused) = (0, 0);
        for (var seed = 0; seed < 4000 * Rounds; seed++)
        {
            var tree = new HostileRequests(seed).Tree();
            var text = tree.ToJsonString();
            try
            {
                WellFormedText.Require(tree);
                var request = VideoRequestReader.Read(new RequestBody(tree, []));
                Assert.NotEmpty(RequestDigest.Of("x", request));
                var spec = RenderSpecs.Complete(request, ModelShapes.Tiny, 1);
                Assert.True(LeastMemory.Of(Tiny, spec).EstimatedSeconds >= 0);
                read++;
            }
            catch (ApiErrorException e)
            {
                Assert.InRange(e.Error.Status, 400, 422);
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}: {text}\n{e}");
            }
        }

        // Both ways are walked, or this would show nothing.
        Assert.InRange(read, 100, int.MaxValue);
        Assert.InRange(refused, 100, int.MaxValue);
    }

    [Property(MaxTest = 500)]
    public void BracketTree_AnyNames_AreATreeOrARefusal(NonEmptyArray<NonNull<string>> names)
    {
        var tree = new BracketTree();
        Refusable(() =>
        {
            foreach (var name in names.Get)
            {
                tree.Add(name.Get, "x");
                tree.Add(name.Get + "[a][]", "y");
            }

            Assert.NotNull(tree.ToJson());
        });
    }

    [Property(MaxTest = 300)]
    public void Body_AnyBytesOfEitherType_AreReadOrRefused(byte[] bytes, bool multipart)
    {
        var context = new DefaultHttpContext();
        var body = multipart
            ? [.. "--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\n"u8, .. bytes, .. "\r\n--b--\r\n"u8]
            : bytes;
        context.Request.ContentType = multipart ? "multipart/form-data; boundary=b" : "application/json";
        (context.Request.Body, context.Request.ContentLength) = (new MemoryStream(body), body.Length);
        Refusable(() => VideoRequestReader.Read(BodyReader.ReadAsync(context.Request, CancellationToken.None).GetAwaiter().GetResult()));
    }

    [Property(MaxTest = 500)]
    public void List_AnyQuery_IsReadOrRefused(string name, string value) =>
        Refusable(() =>
            ListQuery.OfVideos(
                new QueryCollection(
                    new Dictionary<string, Microsoft.Extensions.Primitives.StringValues>
                    {
                        [name ?? "limit"] = value,
                        ["after"] = value,
                        ["order"] = value,
                    }
                )
            )
        );

    [Property(MaxTest = 500)]
    public void Filter_AnyQuery_IsReadOrRefused(string name, string value, byte which)
    {
        string[] names = ["status", "created_after", "metadata[" + name + "]", "text", "batch", name ?? ""];
        var query = new QueryCollection(
            new Dictionary<string, Microsoft.Extensions.Primitives.StringValues> { [names[which % names.Length]] = value }
        );
        // No worker is asked for: who there is need not be known
        Refusable(() => new VideoFilterReader(null!).OfQueryAsync(query, CancellationToken.None).GetAwaiter().GetResult());
    }

    [Property(MaxTest = 1000)]
    public void Picture_AnyBytesAfterASignature_AreReadOrRefused(byte[] bytes, byte kind)
    {
        var signature = (kind % 5) switch
        {
            0 => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A],
            1 => [0xFF, 0xD8, 0xFF],
            2 => "RIFF\0\0\0\0WEBP"u8,
            3 => "GIF89a"u8,
            _ => "BM"u8,
        };
        byte[] file = [.. signature, .. bytes];
        try
        {
            Assert.InRange(PictureHeader.Read(file).Pixels, 1, PictureHeader.MaxPixels);
        }
        catch (PictureFaultException)
        {
            // Refused, as it may be.
        }
    }

    private static void Refusable(Action read)
    {
        try
        {
            read();
        }
        catch (ApiErrorException e)
        {
            Assert.InRange(e.Error.Status, 400, 415);
        }
    }

    private async Task AnsweredAsync(int seed, Func<HostileRequests, HttpRequestMessage> make, int count)
    {
        using var client = new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 })
        {
            BaseAddress = _farm.Address,
        };
        client.DefaultRequestHeaders.Authorization = _farm.User.DefaultRequestHeaders.Authorization;
        for (var i = 0; i < count * Rounds; i++)
        {
            var one = (seed * 1_000_003) + i;
            using var request = make(new HostileRequests(one));
            if (request.RequestUri is { IsAbsoluteUri: true } address)
            {
                request.RequestUri = new Uri(
                    $"http://{_farm.Address.Authority}{address.PathAndQuery}",
                    new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
                );
            }

            // A stream of events has no end of its own.
            using var reply = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var status = (int)reply.StatusCode;
            Assert.True(
                status is not 500 and not 502 and not 504,
                $"seed {one}: {request.Method} {request.RequestUri} answered {status}: {await BodyAsync(request)}"
            );
            if (status >= 400 && request.Method != HttpMethod.Head)
            {
                await reply.RefusalAsync();
            }
        }

        Assert.True((await _farm.User.GetAsync("/health/ready")).IsSuccessStatusCode);

        static async Task<string> BodyAsync(HttpRequestMessage request) =>
            request.Content is null ? "" : Encoding.Latin1.GetString(await request.Content.ReadAsByteArrayAsync());
    }
}
