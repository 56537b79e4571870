using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>Reads <c>multipart/form-data</c>: text parts into a tree by their bracketed names, parts with a file name as files.</summary>
public static class MultipartBody
{
    private const int MaxParts = 256;

    /// <summary>RFC 2046; longer ones don't fit the reader's buffer.</summary>
    private const int MaxBoundary = 70;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static async Task<RequestBody> ReadAsync(Stream body, string? boundary, CancellationToken cancel)
    {
        if (string.IsNullOrEmpty(boundary))
        {
            throw ApiError.Malformed("The multipart Content-Type names no boundary.").AsException();
        }

        if (boundary.Length > MaxBoundary)
        {
            throw ApiError.Malformed($"The multipart boundary has {boundary.Length} characters; at most {MaxBoundary} are allowed.").AsException();
        }

        var tree = new BracketTree();
        var files = new List<UploadedFile>();
        var reader = new MultipartReader(boundary, body) { HeadersCountLimit = 16 };
        for (var part = 1; await NextAsync(reader, part, cancel) is { } section; part++)
        {
            if (part > MaxParts)
            {
                throw ApiError.Malformed($"The multipart body has more than {MaxParts} parts.").AsException();
            }

            var disposition = Disposition(section, part);
            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value!;
            var bytes = await BytesAsync(section, name, cancel);
            if (FileName(disposition) is { } fileName)
            {
                files.Add(new UploadedFile(name, fileName, section.ContentType, bytes, Convert.ToHexStringLower(SHA256.HashData(bytes))));
            }
            else
            {
                tree.Add(name, Text(bytes, name));
            }
        }

        return new RequestBody(tree.ToJson(), files);
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, int part, CancellationToken cancel)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancel);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw ApiError.Malformed($"The multipart body breaks off or is malformed at part {part}: {e.Message}").AsException();
        }
    }

    /// <summary>.NET clients send names without quotes, others with; both are one name.</summary>
    private static ContentDispositionHeaderValue Disposition(MultipartSection section, int part) =>
        ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var value)
            && value.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
            && !string.IsNullOrEmpty(HeaderUtilities.RemoveQuotes(value.Name).Value)
            ? value
            : throw ApiError.Malformed($"Part {part} of the multipart body has no 'Content-Disposition: form-data; name=…'.").AsException();

    private static string? FileName(ContentDispositionHeaderValue disposition) =>
        disposition.FileNameStar.HasValue ? disposition.FileNameStar.Value
        : disposition.FileName.HasValue ? HeaderUtilities.RemoveQuotes(disposition.FileName).Value
        : null;

    private static async Task<byte[]> BytesAsync(MultipartSection section, string name, CancellationToken cancel)
    {
        try
        {
            using var copy = new MemoryStream();
            await section.Body.CopyToAsync(copy, cancel);
            return copy.ToArray();
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw ApiError.Malformed($"The multipart body breaks off inside the part '{name}'.", name).AsException();
        }
    }

    private static string Text(byte[] bytes, string name)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw ApiError.Malformed($"The part '{name}' is not valid UTF-8.", name).AsException();
        }
    }
}
