using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>Reads a body of either content type into a <see cref="RequestBody"/>; everything unreadable is named in a 400.</summary>
internal static class BodyReader
{
    private static readonly SemaphoreSlim LargeBodies = new(4);

    /// <summary>Of fields alone.</summary>
    public static Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        ReadAsync(request, BodyShape.Fields, cancellationToken);

    public static async Task<RequestBody> ReadAsync(HttpRequest request, BodyShape shape, CancellationToken cancellationToken)
    {
        RefuseTooLarge(request);
        RefusePacked(request);
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            throw Unsupported(request);
        }

        if (type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            var form = await MultipartBody.ReadAsync(
                request.Wire(),
                HeaderUtilities.RemoveQuotes(type.Boundary).Value,
                shape,
                request.HttpContext.Response.RegisterForDispose,
                cancellationToken
            );
            WellFormedText.Require(form.Fields);
            return form;
        }

        if (
            type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
        )
        {
            return await ReadJsonAsync(request, shape, cancellationToken);
        }

        throw Unsupported(request);
    }

    /// <summary>The bytes of a body as they come, every fault of their framing a 400.</summary>
    public static Stream Wire(this HttpRequest request) => new ClientStream(request.Body);

    /// <summary>A body that is at hand already: a message, or a line of a batch.</summary>
    public static RequestBody OfJson(ReadOnlyMemory<byte> json, BodyShape shape) => JsonBody.Read(new BodyBytes(json), shape);

    /// <summary>The announced length is enough to refuse: nothing of the body is read.</summary>
    private static void RefuseTooLarge(HttpRequest request)
    {
        var limit = request.HttpContext.BodyLimit();
        if (request.ContentLength > limit)
        {
            throw ApiError.TooLarge(limit).AsException();
        }
    }

    /// <summary>A body that has to be unpacked first can be of any size.</summary>
    private static void RefusePacked(HttpRequest request)
    {
        if (
            request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding
            && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)
        )
        {
            throw (
                ApiError.UnsupportedMediaType(encoding, "") with
                {
                    Message = $"Content-Encoding '{encoding}' is not unpacked here; send the body as it is.",
                }
            ).AsException();
        }
    }

    /// <summary>A large body is parsed when all of it is there, and only so many at once: slow senders hold no memory.</summary>
    private static async Task<RequestBody> ReadJsonAsync(HttpRequest request, BodyShape shape, CancellationToken cancellationToken)
    {
        if (request.ContentLength is <= BodyLimits.Default and var length)
        {
            var bytes = new byte[(int)length];
            var read = await request.Wire().ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
            return OfJson(bytes.AsMemory(0, read), shape);
        }

        var spooled = new BodyBytes((await SpooledFile.WriteAsync(request.Wire(), long.MaxValue, cancellationToken))!);
        // Long texts are read from it later
        request.HttpContext.Response.RegisterForDispose(spooled);
        await LargeBodies.WaitAsync(cancellationToken);
        try
        {
            return JsonBody.Read(spooled, shape);
        }
        finally
        {
            LargeBodies.Release();
        }
    }

    private static ApiErrorException Unsupported(HttpRequest request) =>
        ApiError.UnsupportedMediaType(request.ContentType, "application/json or multipart/form-data").AsException();
}
