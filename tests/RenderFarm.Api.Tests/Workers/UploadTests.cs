using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Workers;

public sealed class UploadsIntoAFolder : UploadTests
{
    protected override string[] Settings() => [];
}

public sealed class UploadsIntoS3 : UploadTests
{
    protected override string[] Settings()
    {
        var s3 = TestServices.S3;
        var keys = s3.UserInfo.Split(':');
        return
        [
            "--Artifacts:Kind=s3",
            $"--Artifacts:Endpoint=http://{s3.Host}:{s3.Port}",
            $"--Artifacts:AccessKey={keys[0]}",
            $"--Artifacts:SecretKey={keys[1]}",
            $"--Artifacts:Bucket=uploads-{Guid.NewGuid():N}",
        ];
    }
}

/// <summary>How a file of a lease reaches the store from a host that has no key of it: the same over a folder and real S3.</summary>
[SuppressMessage("Security", "CA5351", Justification = "What Content-MD5 and ETag are.")]
public abstract class UploadTests : IAsyncLifetime
{
    private readonly HttpClient _anybody = new();
    private TestFarm _farm = null!;
    private string _workerId = "";

    protected abstract string[] Settings();

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync(Settings());
        _workerId = await _farm.RegisterWorkerAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _anybody.Dispose();
        if (_farm is not null)
        {
            await _farm.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Upload_OfAFinishedVideo_GoesTheWholeWay()
    {
        var (lease, file) = (await UploadingAsync(), File(1));

        var asked = await AskAsync(lease, file);
        Assert.Equal([1, 2, 3], asked.Parts.Select(part => part.Number));
        Assert.Empty(asked.Received);
        var left = DateTimeOffset.FromUnixTimeSeconds(asked.ExpiresAt) - TimeProvider.System.GetUtcNow();
        Assert.InRange(left, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(60));
        var stored = await (await CompleteAsync(lease, asked, await SendAllAsync(asked, file))).ContractAsync<UploadedObject>();

        var key = ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name);
        Assert.Equal(new UploadedObject(key, file.Length, Sha256(file)), stored);
        var artifact = new Artifact(ArtifactKind.Video, stored.Key, "video/mp4", stored.SizeBytes, stored.Sha256);
        Assert.Equal(JobState.Completed, (await (await _farm.CompleteAsync(lease, artifact)).ContractAsync<LeaseOutcome>()).State);
        Assert.Equal(file, await _farm.User.GetByteArrayAsync($"/v1/videos/{lease.JobId}/content"));
    }

    [Fact]
    public async Task Ask_Again_GoesOnWithWhatIsThere()
    {
        var (lease, file) = (await UploadingAsync(), File(2));
        var first = await AskAsync(lease, file);
        var etag = await SendAsync(first.Parts[1], file);

        var again = await AskAsync(lease, file);

        Assert.Equal(first.UploadId, again.UploadId);
        Assert.Equal([new ReceivedPart(2, etag)], again.Received);
        Assert.Equal([1, 3], again.Parts.Select(part => part.Number));
        string[] etags = [await SendAsync(again.Parts[0], file), etag, await SendAsync(again.Parts[1], file)];
        Assert.Equal(HttpStatusCode.OK, (await CompleteAsync(lease, again, etags)).StatusCode);
    }

    [Fact]
    public async Task Send_DamagedOnTheWay_IsRefusedAndAskedForAgain()
    {
        var (lease, file) = (await UploadingAsync(), File(3));
        var asked = await AskAsync(lease, file);
        var damaged = Part(file, 1);
        damaged[100] ^= 1;

        using var reply = await PutAsync(asked.Parts[0], damaged);

        Assert.Equal(HttpStatusCode.BadRequest, reply.StatusCode);
        Assert.Empty((await AskAsync(lease, file)).Received);
    }

    [Fact]
    public async Task Complete_Done_NothingChangesTheObject()
    {
        var (lease, file) = (await UploadingAsync(), File(4));
        var asked = await AskAsync(lease, file);
        var etags = await SendAllAsync(asked, file);
        var stored = await (await CompleteAsync(lease, asked, etags)).ContractAsync<UploadedObject>();

        using var late = await PutAsync(asked.Parts[0], Part(file, 1));
        var other = File(5);
        var another = await PostAsync(lease, "uploads", Request(lease, other));
        var again = await AskAsync(lease, file);

        Assert.Equal((409, "wrong_state"), await Refusal(another));
        Assert.Empty(again.Parts);
        Assert.Equal([1, 2, 3], again.Received.Select(part => part.Number));
        Assert.Equal(stored, await (await CompleteAsync(lease, again, etags)).ContractAsync<UploadedObject>());
        Assert.Equal(stored, await (await CompleteAsync(lease, asked, etags)).ContractAsync<UploadedObject>());
        await using var content = await _farm.Artifacts.OpenReadAsync(stored.Key, null, TestContext.Current.CancellationToken);
        Assert.Equal(Sha256(file), Convert.ToHexStringLower(await SHA256.HashDataAsync(content, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task Complete_WithoutAllParts_IsRefused()
    {
        var (lease, file) = (await UploadingAsync(), File(6));
        var asked = await AskAsync(lease, file);
        var first = await SendAsync(asked.Parts[0], file);

        Assert.Equal((400, "invalid_value"), await Refusal(await CompleteAsync(lease, asked, [first])));
        // A document to the store is made of them
        Assert.Equal((400, "invalid_value"), await Refusal(await CompleteAsync(lease, asked, [first, "\u0001", first])));
        string[] untrue = [first, first, first];
        Assert.Contains(
            await Refusal(await CompleteAsync(lease, asked, untrue)),
            new[] { (400, "invalid_value"), (409, "upload_ended") }
        );
        Assert.Equal((409, "upload_ended"), await Refusal(await CompleteAsync(lease, asked with { UploadId = "none" }, untrue)));
        Assert.Equal([1], (await AskAsync(lease, file)).Received.Select(part => part.Number));
    }

    /// <summary>The next lease of the job has its own objects, and what the first one began is not offered to it.</summary>
    [Fact]
    public async Task Uploads_OfTwoLeasesOfOneJob_ShareNothing()
    {
        var (lease, file) = (await UploadingAsync(), File(7));
        var asked = await AskAsync(lease, file);
        var etags = await SendAllAsync(asked, file);
        var back = new ReleaseRequest { Reason = ReleaseReason.Interrupted };
        await PostAsync(lease, "release", back.Under(lease.Lease));
        var next = (await _farm.LeaseAsync(_workerId))!;
        Assert.Equal(lease.JobId, next.JobId);

        Assert.Equal((409, "lease_lost"), await Refusal(await PostAsync(lease, "uploads", Request(lease, file))));
        Assert.Equal((409, "lease_lost"), await Refusal(await CompleteAsync(lease, asked, etags)));
        Assert.Empty((await AskAsync(next, file)).Received);
        Assert.NotEqual(HttpStatusCode.OK, (await CompleteAsync(next, asked, etags)).StatusCode);
    }

    /// <summary>As of a database restored from before it.</summary>
    [Fact]
    public async Task AnyCall_OfAJobThatIsNotHere_Is404()
    {
        var (lease, file) = (await UploadingAsync(), File(8));
        var asked = await AskAsync(lease, file);
        var elsewhere = lease with { JobId = "video_elsewhere" };

        Assert.Equal((404, "not_found"), await Refusal(await PostAsync(elsewhere, "uploads", Request(elsewhere, file))));
        Assert.Equal((404, "not_found"), await Refusal(await CompleteAsync(elsewhere, asked, ["", "", ""])));
    }

    [Fact]
    public async Task Checkpoints_OfOneLease_LieSideBySide()
    {
        var lease = await UploadingAsync();
        List<string> keys = [];
        foreach (var seed in (int[])[9, 10])
        {
            var file = File(seed)[..1000];
            var asked = await AskAsync(lease, file, UploadKind.Checkpoint);
            var stored = await (await CompleteAsync(lease, asked, await SendAllAsync(asked, file))).ContractAsync<UploadedObject>();
            Assert.StartsWith(ObjectKeys.Of(lease.Lease.Name), stored.Key, StringComparison.Ordinal);
            keys.Add(stored.Key);
        }

        Assert.Equal(2, keys.Distinct().Count());
    }

    [Theory]
    [InlineData("size_bytes", 0L, null, null)]
    [InlineData("size_bytes", long.MaxValue, null, null)]
    [InlineData("size_bytes", ((long)UploadRequest.PartBytes * UploadRequest.MostParts) + 1, null, null)]
    [InlineData("sha256", null, "ABC", null)]
    [InlineData("parts_md5", 9L << 20, null, null)]
    [InlineData("parts_md5[0]", null, null, "not base64")]
    public async Task Ask_ForWhatCanNotBe_NamesTheField(string field, long? size, string? sha256, string? md5)
    {
        var lease = await UploadingAsync();
        var good = Request(lease, [1, 2, 3]);
        var request = good with
        {
            SizeBytes = size ?? good.SizeBytes,
            Sha256 = sha256 ?? good.Sha256,
            PartsMd5 = md5 is null ? good.PartsMd5 : [md5],
        };

        var (status, code, param, _) = await (await PostAsync(lease, "uploads", request)).RefusalAsync();

        Assert.Equal((400, "invalid_value", field), (status, code, param));
    }

    [Theory]
    [InlineData("x-renderfarm-fence")]
    [InlineData("x-renderfarm-token")]
    [InlineData("Content-MD5")]
    public async Task Send_WithoutAHeaderOfItsLink_IsRefused(string header)
    {
        var (lease, file) = (await UploadingAsync(), File(11));
        var part = (await AskAsync(lease, file)).Parts[0];
        Assert.SkipUnless(part.Url.StartsWith('/'), "the store has links of its own, and refuses in its own way");
        var without = part with { Headers = part.Headers.Where(one => one.Key != header).ToDictionary() };

        using var reply = await PutAsync(without, Part(file, 1));

        var (status, code, _, message) = await reply.RefusalAsync();
        Assert.Equal((400, "invalid_value"), (status, code));
        Assert.Contains(header, message, StringComparison.Ordinal);
    }

    /// <summary>A lease that is at its upload.</summary>
    private async Task<LeaseGrant> UploadingAsync()
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;
        await _farm.RenewAsync(lease, RenderStage.Uploading);
        return lease;
    }

    /// <summary>Two parts and a bit, the same for the same seed.</summary>
    private static byte[] File(int seed)
    {
        var bytes = new byte[(2 * UploadRequest.PartBytes) + 1000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static byte[] Part(byte[] file, int number) =>
        file[((number - 1) * UploadRequest.PartBytes)..Math.Min(number * UploadRequest.PartBytes, file.Length)];

    private static string Sha256(byte[] file) => Convert.ToHexStringLower(SHA256.HashData(file));

    private static UploadRequest Request(LeaseGrant lease, byte[] file, UploadKind kind = UploadKind.Video) =>
        new()
        {
            Fence = lease.Fence,
            Token = lease.Token,
            Kind = kind,
            SizeBytes = file.Length,
            Sha256 = Sha256(file),
            PartsMd5 =
            [
                .. Enumerable
                    .Range(1, (int)UploadRequest.PartsOf(file.Length))
                    .Select(number => Convert.ToBase64String(MD5.HashData(Part(file, number)))),
            ],
        };

    private async Task<UploadReply> AskAsync(LeaseGrant lease, byte[] file, UploadKind kind = UploadKind.Video) =>
        await (await PostAsync(lease, "uploads", Request(lease, file, kind))).ContractAsync<UploadReply>();

    private Task<HttpResponseMessage> CompleteAsync(LeaseGrant lease, UploadReply upload, string[] etags) =>
        PostAsync(
            lease,
            $"uploads/{upload.UploadId}/complete",
            new UploadCompleteRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Etags = etags,
            }
        );

    private Task<HttpResponseMessage> PostAsync<T>(LeaseGrant lease, string what, T body) =>
        _farm.Worker.PostContractAsync($"/worker/v1/leases/{lease.JobId}/{what}", body);

    private async Task<string[]> SendAllAsync(UploadReply asked, byte[] file)
    {
        List<string> etags = [];
        foreach (var part in asked.Parts)
        {
            etags.Add(await SendAsync(part, file));
        }

        return [.. etags];
    }

    private async Task<string> SendAsync(PartLink part, byte[] file)
    {
        using var reply = await PutAsync(part, Part(file, part.Number));
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return reply.Headers.ETag!.Tag.Trim('"');
    }

    /// <summary>The worker's key goes to the API alone.</summary>
    private async Task<HttpResponseMessage> PutAsync(PartLink part, byte[] content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, part.Url) { Content = new ByteArrayContent(content) };
        foreach (var (name, value) in part.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.Add(name, value);
            }
        }

        return await (part.Url.StartsWith('/') ? _farm.Worker : _anybody).SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<(int, string)> Refusal(HttpResponseMessage reply)
    {
        var (status, code, _, _) = await reply.RefusalAsync();
        return (status, code);
    }
}
