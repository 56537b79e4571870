using System.Text.Json.Serialization;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Leases;

/// <summary>What a worker may store under its lease.</summary>
[JsonConverter(typeof(WordConverter<UploadKind>))]
public enum UploadKind
{
    [JsonStringEnumMemberName("video")]
    Video,

    [JsonStringEnumMemberName("thumbnail")]
    Thumbnail,

    [JsonStringEnumMemberName("spritesheet")]
    Spritesheet,

    /// <summary>What a render needs to go on elsewhere. A lease may store several; each is an object of its own.</summary>
    [JsonStringEnumMemberName("checkpoint")]
    Checkpoint,
}

/// <summary>
/// <c>POST /worker/v1/leases/{job}/uploads</c>: links to store a file by, asked for when it is whole. Asked again, as by a worker that was
/// started anew or whose links are over, the upload goes on where it is.
/// </summary>
public sealed record UploadRequest : LeaseReport
{
    /// <summary>Size of every part but the last.</summary>
    public const int PartBytes = 8 << 20;

    /// <summary>As many as every store takes.</summary>
    public const int MostParts = 10_000;

    public required UploadKind Kind { get; init; }
    public required long SizeBytes { get; init; }

    /// <summary>Of the whole file, lower-case hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Of each part, in base64: what its <c>Content-MD5</c> will say.</summary>
    public required IReadOnlyList<string> PartsMd5 { get; init; }

    /// <summary>How many parts a file of this size has.</summary>
    public static long PartsOf(long sizeBytes) => (sizeBytes + PartBytes - 1) / PartBytes;

    /// <param name="number">From 1.</param>
    public static long SizeOfPart(long sizeBytes, int number) => Math.Min(PartBytes, sizeBytes - ((number - 1L) * PartBytes));
}

public sealed record UploadReply
{
    /// <summary>For <c>…/uploads/{id}/complete</c>.</summary>
    public required string UploadId { get; init; }

    /// <summary>What is missing yet.</summary>
    public required IReadOnlyList<PartLink> Parts { get; init; }

    /// <summary>What is there already.</summary>
    public required IReadOnlyList<ReceivedPart> Received { get; init; }

    /// <summary>Of the links, in unix seconds. New ones are there for the asking, as long as the lease stands.</summary>
    public required long ExpiresAt { get; init; }
}

/// <summary>Where one part goes: <c>PUT</c>, with these headers, these very bytes, and nothing else.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Url">The store's own, which needs no key; or a path of this API, which needs the worker's.</param>
public sealed record PartLink(int Number, string Url, IReadOnlyDictionary<string, string> Headers);

/// <param name="Etag">What the store's answer to the part said, without its quotes.</param>
public sealed record ReceivedPart(int Number, string Etag);

/// <summary><c>POST /worker/v1/leases/{job}/uploads/{id}/complete</c>: make the parts one object, which nothing changes any more.</summary>
public sealed record UploadCompleteRequest : LeaseReport
{
    /// <summary>Of all parts in their order, as the answer to each part, or <see cref="ReceivedPart"/>, had it.</summary>
    public required IReadOnlyList<string> Etags { get; init; }
}

public sealed record UploadedObject(string Key, long SizeBytes, string Sha256);

public static class UploadKinds
{
    public static string ContentType(UploadKind kind) =>
        kind switch
        {
            UploadKind.Video => "video/mp4",
            UploadKind.Thumbnail or UploadKind.Spritesheet => "image/webp",
            UploadKind.Checkpoint => "application/octet-stream",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no content type for this kind of upload"),
        };

    /// <summary>The kind under which an artifact is uploaded.</summary>
    public static UploadKind Of(ArtifactKind kind) =>
        kind switch
        {
            ArtifactKind.Video => UploadKind.Video,
            ArtifactKind.Thumbnail => UploadKind.Thumbnail,
            ArtifactKind.Spritesheet => UploadKind.Spritesheet,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no artifact is of this kind"),
        };
}
