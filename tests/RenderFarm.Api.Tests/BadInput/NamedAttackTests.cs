using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Tests.Inputs;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.BadInput;

/// <summary>Attacks with a name. Those on addresses (SSRF) are in <c>OutboundGuardTests</c> and <c>InputPictureTests</c>.</summary>
public sealed class NamedAttackTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;

    [Theory]
    [InlineData("../../../etc/passwd")]
    [InlineData("..\\..\\windows")]
    [InlineData("/etc/passwd")]
    [InlineData("tiny/../tiny")]
    [InlineData("tiny\n")]
    public async Task PathTraversal_InAModelName_IsAnUnknownModel(string model) =>
        Assert.Equal((400, "unknown_model", "model"), await RefusedAsync(new { prompt = "a", model }));

    [Theory]
    [InlineData("../secret")]
    [InlineData("..\\secret")]
    [InlineData("/etc/passwd")]
    [InlineData(".hidden")]
    [InlineData("a\u0001b")]
    public async Task PathTraversal_InALoraName_IsRefusedByName(string name) =>
        Assert.Equal((400, "invalid_value", "loras[0].name"), await RefusedAsync(new { prompt = "a", loras = new[] { new { name } } }));

    [Theory]
    [InlineData("/v1/videos/..%2f..%2f..%2fetc%2fpasswd/content")]
    [InlineData("/v1/videos/%2e%2e/content")]
    [InlineData("/v1/videos/video_1%00/content")]
    [InlineData("/v1/videos/..\\..\\x/content")]
    public async Task PathTraversal_InAnId_FindsNothing(string path)
    {
        var address = new Uri(
            _farm.Address.AbsoluteUri.TrimEnd('/') + path,
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        var reply = await _farm.User.GetAsync(address);

        Assert.InRange((int)reply.StatusCode, 400, 404);
        await reply.RefusalAsync();
    }

    [Fact]
    public async Task PathTraversal_InAWorkersModelId_IsRefused()
    {
        var shape = ModelShapes.Tiny with { Id = "../tiny" };
        var body = new
        {
            name = "w2",
            host = "h",
            version = "1",
            protocol = WorkerProtocol.Current,
            identity = SimulatedWorker.IdentityOf("w2"),
            instance = SimulatedWorker.Instance,
            slots = new[]
            {
                new
                {
                    id = "cpu",
                    kind = "cpu",
                    card = "cpu",
                    total_bytes = 1L,
                },
            },
            models = new[]
            {
                new
                {
                    id = shape.Id,
                    shape = JsonSerializer.SerializeToNode(shape, Contracts.Json.ContractsJson.Default.ModelShape),
                    fingerprints = new { },
                },
            },
        };

        Assert.Equal(
            (400, "invalid_value", "models"),
            await (await _farm.Worker.PostAsJsonAsync("/worker/v1/register", body)).RefusalAsync() is var r
                ? (r.Status, r.Code, r.Param)
                : default
        );
    }

    [Fact]
    public async Task PathTraversal_InAnArtifactKey_IsRefusedAndTheLeaseStays()
    {
        await using var own = await TestFarm.StartAsync();
        var worker = await own.RegisterWorkerAsync();
        await own.SubmitAsync();
        var lease = (await own.LeaseAsync(worker))!;
        await own.RenewAsync(lease);
        var real = await own.UploadAsync(lease, [1, 2, 3]);
        foreach (var end in (string[])["../../../../etc/passwd", "..", "./video.mp4", "", "video.mp4/x", "a b.mp4"])
        {
            var wrong = new Artifact(ArtifactKind.Video, ObjectKeys.Of(lease.Lease.Name) + end, "video/mp4", 3, real.Sha256);
            Assert.Equal(
                (400, "invalid_value"),
                await (await own.CompleteAsync(lease, wrong)).RefusalAsync() is var r ? (r.Status, r.Code) : default
            );
        }

        Assert.Equal(HttpStatusCode.OK, (await own.CompleteAsync(lease, real)).StatusCode);
    }

    [Fact]
    public async Task HeaderInjection_InMetadataAndPrompt_StaysText()
    {
        const string Evil = "a\r\nX-Evil: 1\r\nSet-Cookie: x=1\r\n\r\n<html>";
        var reply = await _farm.User.PostAsJsonAsync(
            "/v1/videos",
            new { prompt = Evil, metadata = new Dictionary<string, string> { [Evil] = Evil } }
        );
        var video = await reply.JsonAsync();

        Assert.Equal((Evil, Evil), ((string)video["prompt"]!, (string)video["metadata"]![Evil]!));
        foreach (
            var answer in new[]
            {
                reply,
                await _farm.User.GetAsync($"/v1/videos/{(string)video["id"]!}"),
                await _farm.User.GetAsync($"/v1/videos/{(string)video["id"]!}/content"),
            }
        )
        {
            Assert.False(answer.Headers.Contains("X-Evil"));
            Assert.False(answer.Headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    public async Task HeaderInjection_InAnUploadsFileName_StaysOut()
    {
        var body =
            "--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=input_reference; "
            + "filename=\"a\rX-Evil: 1.png\"\r\n\r\nx\r\n--b--\r\n";
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        var reply = await _farm.User.PostAsync("/v1/videos", content);

        Assert.Equal(400, (int)reply.StatusCode);
        Assert.False(reply.Headers.Contains("X-Evil"));
    }

    [Fact]
    public async Task DecompressionBomb_AsABody_IsNotUnpacked()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[64 << 20]);
        }

        var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        var refusal = await (await _farm.User.PostAsync("/v1/videos", content)).RefusalAsync();

        Assert.Equal((415, "unsupported_media_type"), (refusal.Status, refusal.Code));
        Assert.Contains("gzip", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImageBombs_AreRefusedByTheirSizes()
    {
        await using var own = await TestFarm.StartAsync();
        await own.RegisterWorkerAsync(
            "w1",
            ModelShapes.Tiny with
            {
                Id = "tiny-i2v",
                Pictures = Contracts.Models.PictureConditioning.FirstLatentFrame,
            }
        );
        foreach (
            var bomb in new[]
            {
                SamplePictures.Png(60_000, 60_000, 1000),
                SamplePictures.Png(24, 16, 200L << 20),
                SamplePictures.Png(16_000, 16_000, 1000),
            }
        )
        {
            var form = new MultipartFormDataContent
            {
                { new StringContent("a"), "prompt" },
                { new StringContent("tiny-i2v"), "model" },
                { new ByteArrayContent(bomb), "input_reference", "a.png" },
            };
            var refusal = await (await own.User.PostAsync("/v1/videos", form)).RefusalAsync();
            Assert.Equal((400, "unsupported_image", "input_reference"), (refusal.Status, refusal.Code, refusal.Param));
        }
    }

    [Theory]
    [InlineData("""{"prompt":"a","plan":{{{{{{{{{{{{{{{{{{{{""")]
    [InlineData("""{"prompt":"a","metadata":[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]}""")]
    public async Task NestedJson_IsRefused(string body) =>
        Assert.Equal(
            400,
            (int)(await _farm.User.PostAsync("/v1/videos", new StringContent(body, Encoding.UTF8, "application/json"))).StatusCode
        );

    [Fact]
    public async Task AHundredThousandKeys_AreRefusedAtOnce()
    {
        var body = new JsonObject(Enumerable.Range(0, 50_000).Select(i => KeyValuePair.Create($"key{i}", (JsonNode?)1)))
        {
            ["prompt"] = "a",
        };
        var clock = Stopwatch.StartNew();
        var refusal = await (
            await _farm.User.PostAsync("/v1/videos", new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, "invalid_request"), (refusal.Status, refusal.Code));
        Assert.Contains("no request has as many", refusal.Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("Content-Type: application/json", true, 1L << 20)] // Announced: nothing is read
    [InlineData("Content-Type: application/json", false, 48L << 20)]
    [InlineData("Content-Type: multipart/form-data; boundary=b", false, 40L << 20)]
    public async Task AnUploadOf2GB_IsRefusedAtItsFirstMegabytes_InBoundedMemory(string type, bool announced, long mostSent)
    {
        const long Size = 2L << 30;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        using var socket = new TcpClient();
        await socket.ConnectAsync(_farm.Address.Host, _farm.Address.Port, limit.Token);
        var stream = socket.GetStream();
        var before = GC.GetTotalAllocatedBytes();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /v1/videos HTTP/1.1\r\nHost: farm\r\nAuthorization: Bearer "
                    + $"{_farm.AdminKey}\r\n{type}\r\n{(announced ? $"Content-Length: {Size}" : "Transfer-Encoding: chunked")}\r\n\r\n"
            ),
            limit.Token
        );
        var answer = ReadHeadAsync(stream, limit.Token);
        long sent = 0;
        if (!announced)
        {
            sent = await SendChunksAsync(stream, type.Contains("multipart", StringComparison.Ordinal), Size, answer, limit.Token);
        }

        Assert.StartsWith("HTTP/1.1 413", await answer, StringComparison.Ordinal);
        Assert.InRange(sent, 0, mostSent);
        // Far less than was sent: what came in went by way of the disk.
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64L << 20);
    }

    [Fact]
    public async Task List_LimitZero_IsAnEmptyPageThatSaysWhetherThereIsMore()
    {
        using var tenant = await _farm.NewTenantAsync("submit", "read");
        var none = await (await tenant.GetAsync("/v1/videos?limit=0")).JsonAsync();
        Assert.Equal((0, false), (none["data"]!.AsArray().Count, (bool)none["has_more"]!));

        await _farm.SubmitAsync(by: tenant);
        var more = await (await tenant.GetAsync("/v1/videos?limit=0")).JsonAsync();
        Assert.Equal((0, true), (more["data"]!.AsArray().Count, (bool)more["has_more"]!));
        Assert.Null(more["last_id"]);
    }

    private static async Task<long> SendChunksAsync(
        NetworkStream stream,
        bool multipart,
        long size,
        Task answer,
        CancellationToken cancellationToken
    )
    {
        long sent = 0;
        var block = new byte[1 << 16];
        Array.Fill(block, (byte)' ');
        try
        {
            if (multipart)
            {
                await ChunkAsync(
                    Encoding.ASCII.GetBytes("--b\r\nContent-Disposition: form-data; name=input_reference; filename=a.png\r\n\r\n")
                );
            }

            for (; sent < size && !answer.IsCompleted; sent += block.Length)
            {
                await ChunkAsync(block);
            }
        }
        catch (IOException)
        {
            // The server has hung up on the rest.
        }

        return sent;

        async Task ChunkAsync(byte[] bytes)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), cancellationToken);
            await stream.WriteAsync(bytes, cancellationToken);
            await stream.WriteAsync("\r\n"u8.ToArray(), cancellationToken);
        }
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer, cancellationToken));
    }

    private async Task<(int, string, string?)> RefusedAsync(object fields)
    {
        var refusal = await (await _farm.User.PostAsJsonAsync("/v1/videos", fields)).RefusalAsync();
        return (refusal.Status, refusal.Code, refusal.Param);
    }
}
