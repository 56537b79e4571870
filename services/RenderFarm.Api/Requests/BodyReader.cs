using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>Reads a body of either content type into a <see cref="RequestBody"/>; everything unreadable is named in a 400.</summary>
internal static class BodyReader
{
    private static readonly SemaphoreSlim LargeBodies = new(4);

    internal static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    public static async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        RefuseTooLarge(request);
        RefusePacked(request);
        var body = await ReadEitherAsync(request, cancellationToken);
        WellFormedText.Require(body.Fields);
        return body;
    }

    private static async Task<RequestBody> ReadEitherAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type))
        {
            throw Unsupported(request);
        }

        if (type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            return await MultipartBody.ReadAsync(
                request.Body,
                HeaderUtilities.RemoveQuotes(type.Boundary).Value,
                request.HttpContext.Response.RegisterForDispose,
                cancellationToken
            );
        }

        if (
            type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)
        )
        {
            return new RequestBody(await ReadJsonAsync(request, cancellationToken), []);
        }

        throw Unsupported(request);
    }

    /// <summary>The announced length is enough to refuse: nothing of the body is read.</summary>
    private static void RefuseTooLarge(HttpRequest request)
    {
        var limit = request.HttpContext.BodyLimit();
        if (request.ContentLength > limit)
        {
            throw ApiError.TooLarge(limit).AsException();
        }
    }

    /// <summary>A body that is at hand already: a message, or a line of a batch.</summary>
    public static async Task<RequestBody> OfJsonAsync(ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream(json.ToArray(), writable: false);
        var body = new RequestBody(await ParseAsync(stream, cancellationToken), []);
        WellFormedText.Require(body.Fields);
        return body;
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
    private static async Task<JsonObject> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength <= BodyLimits.Default)
        {
            return await ParseAsync(request.Body, cancellationToken);
        }

        using var spooled = await SpooledFile.WriteAsync(request.Body, long.MaxValue, cancellationToken);
        await LargeBodies.WaitAsync(cancellationToken);
        try
        {
            await using var whole = File.OpenRead(spooled!.Path);
            return await ParseAsync(whole, cancellationToken);
        }
        finally
        {
            LargeBodies.Release();
        }
    }

    private static async Task<JsonObject> ParseAsync(Stream body, CancellationToken cancellationToken)
    {
        try
        {
            return await JsonNode.ParseAsync(body, documentOptions: Strict, cancellationToken: cancellationToken) as JsonObject
                ?? throw ApiError.Malformed("The body must be a JSON object.").AsException();
        }
        catch (JsonException e)
        {
            throw ApiError.Malformed($"The body is not valid JSON: {Cause(e)}").AsException();
        }
        catch (InvalidOperationException)
        {
            // Looking for repeated members reads the names of all.
            throw ApiError.Malformed("The body is not valid JSON: the name of a member is not valid Unicode.").AsException();
        }
        catch (ArgumentException e)
        {
            // JsonNode reports a repeated member this way.
            throw ApiError.Malformed($"The body is not valid JSON: {e.Message}").AsException();
        }
    }

    /// <summary>System.Text.Json counts lines and columns from 0 and appends them to its message; people count from 1.</summary>
    internal static string Cause(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var cause = end < 0 ? e.Message : e.Message[..end];
        return e.LineNumber is { } line ? $"{cause} (line {line + 1}, column {e.BytePositionInLine + 1})" : cause;
    }

    private static ApiErrorException Unsupported(HttpRequest request) =>
        ApiError.UnsupportedMediaType(request.ContentType, "application/json or multipart/form-data").AsException();
}
