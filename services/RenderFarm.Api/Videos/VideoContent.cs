using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Videos;

/// <summary>
/// Streams a stored file. Never a redirect (the .NET SDK throws on one) and never 406 (clients send odd <c>Accept</c>
/// values). Files don't change once a video is completed, so the checksum is the entity tag.
/// </summary>
internal static class VideoContent
{
    public static async Task GetAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        IArtifactStore artifacts,
        CancellationToken cancellationToken
    )
    {
        var job = await jobs.GetAsync(id, context.Caller().Jobs, cancellationToken) ?? throw VideoEndpoints.NotFound(id);
        if (context.Request.Query.Keys.FirstOrDefault(key => key != "variant") is { } stray)
        {
            throw ApiError.UnknownParameter(stray, "variant").AsException();
        }

        var file = Find(job, Kind(context.Request.Query["variant"]));
        var etag = new EntityTagHeaderValue($"\"{file.Sha256}\"");
        var response = context.Response;
        var headers = response.GetTypedHeaders();
        if (
            context
                .Request.GetTypedHeaders()
                .IfNoneMatch.Any(known => known.Compare(etag, useStrongComparison: false) || known == EntityTagHeaderValue.Any)
        )
        {
            Describe();
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var asked = ContentRange.Of(context.Request, file.SizeBytes, etag);
        if (asked is ContentRange.NotSatisfiable)
        {
            headers.ContentRange = new ContentRangeHeaderValue(file.SizeBytes);
            throw new ApiError(416, "invalid_value", $"The range is outside of the file's {file.SizeBytes} bytes.", "Range").AsException();
        }

        await RequireWholeAsync(artifacts, file, job.Id, cancellationToken);
        // Opened before anything is said of the content: a refusal must not carry its tag, or be cached for it.
        var part = asked as ContentRange.Part;
        await using var stream = HttpMethods.IsHead(context.Request.Method)
            ? Stream.Null
            : await OpenAsync(artifacts, file.Key, part?.Bytes, job.Id, cancellationToken);
        Describe();
        if (part is not null)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            headers.ContentRange = new ContentRangeHeaderValue(part.First, part.Last, file.SizeBytes);
        }

        response.ContentType = file.ContentType;
        response.ContentLength = part?.Length ?? file.SizeBytes;
        headers.ContentDisposition = new ContentDispositionHeaderValue("inline") { FileName = FileName(job.Id, file) };
        await stream.CopyToAsync(response.Body, cancellationToken);

        void Describe()
        {
            headers.ETag = etag;
            headers.LastModified = job.FinishedAt;
            response.Headers.AcceptRanges = "bytes";
            response.Headers.CacheControl = "private, max-age=3600";
        }
    }

    private static ArtifactKind Kind(string? variant) =>
        string.IsNullOrEmpty(variant) ? ArtifactKind.Video
        : Word.TryParse<ArtifactKind>(variant, out var kind) ? kind
        : throw ApiError.InvalidValue("variant", $"'variant' is '{variant}', {Word.NotOneOf<ArtifactKind>(variant)}.").AsException();

    private static Artifact Find(Job job, ArtifactKind kind) =>
        job.State switch
        {
            JobState.Expired => throw ApiError.Expired(job.Id).AsException(),
            JobState.Completed => job.Artifacts.FirstOrDefault(a => a.Kind == kind)
                ?? throw ApiError.NotFound(Word.Of(kind) + " of video", job.Id).AsException(),
            _ => throw ApiError.ContentNotReady(job.Id, VideoEndpoints.StatusWord(job)).AsException(),
        };

    /// <summary>The length that is announced is the row's: an object of another length can't be sent under it.</summary>
    private static async Task RequireWholeAsync(IArtifactStore artifacts, Artifact file, string id, CancellationToken cancellationToken)
    {
        if (await artifacts.StatAsync(file.Key, cancellationToken) is { } stored && stored.SizeBytes != file.SizeBytes)
        {
            throw ApiError.ContentDamaged(id, stored.SizeBytes, file.SizeBytes).AsException();
        }
    }

    private static async Task<Stream> OpenAsync(
        IArtifactStore artifacts,
        string key,
        ByteRange? range,
        string id,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await artifacts.OpenReadAsync(key, range, cancellationToken);
        }
        catch (ArtifactNotFoundException)
        {
            // Retention removes the files a moment before it marks the row.
            throw ApiError.Expired(id).AsException();
        }
    }

    private static string FileName(string id, Artifact file) =>
        $"{id}{(file.Kind == ArtifactKind.Video ? "" : "-" + Word.Of(file.Kind))}{Path.GetExtension(file.Key)}";
}
