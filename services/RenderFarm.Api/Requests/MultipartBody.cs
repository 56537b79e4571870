using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>Reads <c>multipart/form-data</c>: text parts into a tree by their bracketed names, parts with a file name as files.</summary>
internal static class MultipartBody
{
    private const int MaxParts = 256;

    /// <summary>RFC 2046; longer ones don't fit the reader's buffer.</summary>
    private const int MaxBoundary = 70;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="keep">Told of each file as it comes, so that it goes with the request.</param>
    public static async Task<RequestBody> ReadAsync(
        Stream body,
        string? boundary,
        BodyShape shape,
        Action<IDisposable> keep,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrEmpty(boundary))
        {
            throw ApiError.Malformed("The multipart Content-Type names no boundary.").AsException();
        }

        if (boundary.Length > MaxBoundary)
        {
            throw ApiError
                .Malformed($"The multipart boundary has {boundary.Length} characters; at most {MaxBoundary} are allowed.")
                .AsException();
        }

        var tree = new BracketTree();
        var (files, textBytes) = (new List<UploadedFile>(), 0L);
        var reader = new MultipartReader(boundary, body) { HeadersCountLimit = 16 };
        for (var part = 1; await NextAsync(reader, part, cancellationToken) is { } section; part++)
        {
            if (part > MaxParts)
            {
                throw ApiError.Malformed($"The multipart body has more than {MaxParts} parts.").AsException();
            }

            var disposition = Disposition(section, part);
            var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value!;
            if (FileName(disposition) is { } fileName)
            {
                var content = await FileAsync(section, name, cancellationToken);
                keep(content);
                files.Add(new UploadedFile(name, fileName, content));
            }
            else
            {
                var text = await TextAsync(section, name, cancellationToken);
                if ((textBytes += text.Length) > shape.MaxTreeBytes)
                {
                    throw ApiError
                        .Malformed($"The text parts of the body are together larger than {shape.MaxTreeBytes} bytes.")
                        .AsException();
                }

                tree.Add(name, text);
            }
        }

        return new RequestBody(tree.ToJson(), files);
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader reader, int part, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw ApiError.Malformed($"The multipart body breaks off or is malformed at part {part}: {e.Message}").AsException();
        }
    }

    /// <summary>.NET clients send names without quotes, others with; both are one name.</summary>
    private static ContentDispositionHeaderValue Disposition(MultipartSection section, int part)
    {
        if (
            !ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var value)
            || !value.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
            || string.IsNullOrEmpty(HeaderUtilities.RemoveQuotes(value.Name).Value)
        )
        {
            throw ApiError.Malformed($"Part {part} of the multipart body has no 'Content-Disposition: form-data; name=…'.").AsException();
        }

        // The header's own reading of 'filename*' takes for granted that there is something to read
        return value.Parameters.FirstOrDefault(parameter => !parameter.Value.HasValue) is { } bare
            ? throw ApiError.Malformed($"Part {part} of the multipart body has a '{bare.Name}' without a value.").AsException()
            : value;
    }

    private static string? FileName(ContentDispositionHeaderValue disposition) =>
        disposition.FileNameStar.HasValue ? disposition.FileNameStar.Value
        : disposition.FileName.HasValue ? HeaderUtilities.RemoveQuotes(disposition.FileName).Value
        : null;

    private static async Task<SpooledFile> FileAsync(MultipartSection section, string name, CancellationToken cancellationToken) =>
        await WholeAsync(() => SpooledFile.WriteAsync(section.Body, BodyLimits.File, cancellationToken), name)
        ?? throw ApiError.PartTooLarge(name, BodyLimits.File).AsException();

    private static async Task<string> TextAsync(MultipartSection section, string name, CancellationToken cancellationToken)
    {
        using var copy = new MemoryStream();
        await WholeAsync(
            async () =>
            {
                var buffer = new byte[8192];
                for (int read; (read = await section.Body.ReadAsync(buffer, cancellationToken)) > 0;)
                {
                    copy.Write(buffer, 0, read);
                    if (copy.Length > BodyLimits.Text)
                    {
                        throw ApiError.PartTooLarge(name, BodyLimits.Text).AsException();
                    }
                }

                return true;
            },
            name
        );
        try
        {
            return StrictUtf8.GetString(copy.GetBuffer(), 0, (int)copy.Length);
        }
        catch (DecoderFallbackException)
        {
            throw ApiError.Malformed($"The part '{name}' is not valid UTF-8.", name).AsException();
        }
    }

    private static async Task<T> WholeAsync<T>(Func<Task<T>> read, string name)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw ApiError.Malformed($"The multipart body breaks off inside the part '{name}'.", name).AsException();
        }
    }
}
