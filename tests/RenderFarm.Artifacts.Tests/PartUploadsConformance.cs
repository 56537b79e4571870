using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Artifacts.Tests;

/// <summary>What uploads in parts promise, whatever takes the parts.</summary>
[SuppressMessage("Security", "CA5351", Justification = "What Content-MD5 and ETag are.")]
public abstract class PartUploadsConformance
{
    /// <summary>The least that S3 takes for any part but the last.</summary>
    protected const int PartBytes = 5 << 20;

    private readonly string _job = "video_" + Guid.NewGuid().ToString("n");

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected abstract Task<IArtifactStore> StoreAsync();

    protected abstract Task<IPartUploads> UploadsAsync();

    /// <summary>Stores a part as somebody does who has no key of the store.</summary>
    /// <param name="md5">That the part is promised to have, in base64.</param>
    /// <returns>Its name; null when it was refused.</returns>
    protected abstract Task<string?> TrySendAsync(IPartUploads uploads, string key, string id, int number, byte[] part, string md5);

    [Fact]
    public async Task Complete_PartsInAnyOrder_IsTheFile()
    {
        var (uploads, store, file, promised) = (await UploadsAsync(), await StoreAsync(), File(17), Promise(17));
        var id = await BegunAsync(uploads, promised);

        var etags = new string[3];
        foreach (var number in (int[])[3, 1, 2])
        {
            etags[number - 1] = await SendAsync(uploads, promised.Key, id, number, Part(file, number));
        }

        var stored = await uploads.CompleteAsync(promised, id, etags, Cancellation);

        Assert.Equal((promised.SizeBytes, promised.Sha256, "video/mp4"), (stored.SizeBytes, stored.Sha256, stored.ContentType));
        await using var content = await store.OpenReadAsync(promised.Key, null, Cancellation);
        Assert.Equal(promised.Sha256, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, Cancellation)));
        Assert.Equal(0, await store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation));
    }

    [Fact]
    public async Task Begin_Again_GoesOnWithTheParts()
    {
        var (uploads, file, promised) = (await UploadsAsync(), File(18), Promise(18));
        var id = await BegunAsync(uploads, promised);
        var first = await SendAsync(uploads, promised.Key, id, 2, Part(file, 2));

        var again = await UploadsAsync();
        Assert.Equal(id, await BegunAsync(again, promised));
        Assert.Equal([new StoredPart(2, PartBytes, first)], await again.ListPartsAsync(promised.Key, id, Cancellation));
    }

    [Fact]
    public async Task Send_OtherBytesThanPromised_AreRefused()
    {
        var (uploads, file, promised) = (await UploadsAsync(), File(19), Promise(19));
        var id = await BegunAsync(uploads, promised);
        var part = Part(file, 1);
        var md5 = Md5(part);
        part[PartBytes / 2] ^= 1;

        Assert.Null(await TrySendAsync(uploads, promised.Key, id, 1, part, md5));
        Assert.Empty(await uploads.ListPartsAsync(promised.Key, id, Cancellation));
    }

    [Fact]
    public async Task Complete_APartIsMissing_IsRefusedAndTheRestStays()
    {
        var (uploads, store, file, promised) = (await UploadsAsync(), await StoreAsync(), File(20), Promise(20));
        var id = await BegunAsync(uploads, promised);
        var first = await SendAsync(uploads, promised.Key, id, 1, Part(file, 1));

        await Assert.ThrowsAnyAsync<ArtifactStoreException>(() =>
            uploads.CompleteAsync(promised, id, [first, first, first], Cancellation)
        );

        Assert.Null(await store.StatAsync(promised.Key, Cancellation));
        Assert.Single(await uploads.ListPartsAsync(promised.Key, id, Cancellation));
    }

    [Fact]
    public async Task Complete_Again_IsTheSame_AndNothingChangesTheObject()
    {
        var (uploads, store, file, promised) = (await UploadsAsync(), await StoreAsync(), File(21), Promise(21));
        var id = await BegunAsync(uploads, promised);
        var etags = await SendAllAsync(uploads, promised.Key, id, file);
        await uploads.CompleteAsync(promised, id, etags, Cancellation);

        var late = File(22);
        _ = await TrySendAsync(uploads, promised.Key, id, 1, Part(late, 1), Md5(Part(late, 1)));
        var again = await uploads.CompleteAsync(promised, id, etags, Cancellation);

        Assert.Equal(promised.Sha256, again.Sha256);
        Assert.Null(await uploads.BeginAsync(promised, Cancellation));
        var other = promised with { Sha256 = Promise(22).Sha256 };
        await Assert.ThrowsAsync<ArtifactExistsException>(() => uploads.BeginAsync(other, Cancellation));
        await Assert.ThrowsAsync<ArtifactExistsException>(() => uploads.CompleteAsync(other, id, etags, Cancellation));
        await using var content = await store.OpenReadAsync(promised.Key, null, Cancellation);
        Assert.Equal(promised.Sha256, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, Cancellation)));
    }

    [Fact]
    public async Task Uploads_OfTwoLeases_ShareNothing()
    {
        var (uploads, file, one, other) = (await UploadsAsync(), File(23), Promise(23), Promise(23, fence: 2));
        var id = await BegunAsync(uploads, one);
        await SendAsync(uploads, one.Key, id, 1, Part(file, 1));

        var otherId = await BegunAsync(uploads, other);

        Assert.Empty(await uploads.ListPartsAsync(other.Key, otherId, Cancellation));
        Assert.Single(await uploads.ListPartsAsync(one.Key, id, Cancellation));
    }

    [Fact]
    public async Task RemoveUnfinished_AbandonedUpload_IsEnded()
    {
        var (uploads, store, file, promised) = (await UploadsAsync(), await StoreAsync(), File(24), Promise(24));
        var id = await BegunAsync(uploads, promised);
        await SendAsync(uploads, promised.Key, id, 1, Part(file, 1));

        Assert.Equal(0, await store.RemoveUnfinishedAsync(DateTimeOffset.UnixEpoch, Cancellation));
        Assert.Equal(1, await store.RemoveUnfinishedAsync(DateTimeOffset.MaxValue, Cancellation));

        await Assert.ThrowsAsync<UploadEndedException>(() => uploads.CompleteAsync(promised, id, [Hex(Part(file, 1))], Cancellation));
    }

    /// <summary>Two parts and a bit, the same for the same seed.</summary>
    protected static byte[] File(int seed)
    {
        var bytes = new byte[(2 * PartBytes) + 1000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected static byte[] Part(byte[] file, int number) => file[((number - 1) * PartBytes)..Math.Min(number * PartBytes, file.Length)];

    protected static string Md5(byte[] part) => Convert.ToBase64String(MD5.HashData(part));

    protected PromisedObject Promise(int seed, long fence = 1)
    {
        var file = File(seed);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(file));
        var key = ObjectKeys.For(UploadKind.Video, new LeaseName(_job, fence, "0a1b2c3d4e5f"), sha256);
        return new PromisedObject(key, "video/mp4", file.Length, sha256);
    }

    protected static async Task<string> BegunAsync(IPartUploads uploads, PromisedObject promised) =>
        await uploads.BeginAsync(promised, Cancellation) ?? throw new InvalidOperationException("the object is there already");

    protected async Task<string> SendAsync(IPartUploads uploads, string key, string id, int number, byte[] part)
    {
        var etag = await TrySendAsync(uploads, key, id, number, part, Md5(part));
        Assert.NotNull(etag);
        return etag;
    }

    protected async Task<string[]> SendAllAsync(IPartUploads uploads, string key, string id, byte[] file) =>
        [
            await SendAsync(uploads, key, id, 1, Part(file, 1)),
            await SendAsync(uploads, key, id, 2, Part(file, 2)),
            await SendAsync(uploads, key, id, 3, Part(file, 3)),
        ];

    private static string Hex(byte[] part) => Convert.ToHexStringLower(MD5.HashData(part));
}
