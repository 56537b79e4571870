using System.Text.Json;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>A string of JSON as text that can be kept: Unicode, and without the one character that PostgreSQL does not hold.</summary>
internal static class JsonText
{
    /// <summary>Of the token at hand.</summary>
    /// <returns>Null where it is fine, else what is the matter, to follow the name of a field.</returns>
    public static string? TryRead(ref Utf8JsonReader reader, out string text)
    {
        try
        {
            text = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return WellFormedText.NotUnicode;
        }

        return text.Contains('\0', StringComparison.Ordinal) ? WellFormedText.HoldsNul : null;
    }

    /// <summary>Of a body, where it lies.</summary>
    /// <param name="content">Without the quotes.</param>
    /// <param name="path">What it is called in messages.</param>
    /// <exception cref="ApiErrorException">400: it is no such text.</exception>
    public static string Read(BodyBytes body, TextRange content, string path)
    {
        var reader = new Utf8JsonReader(body.Read(new TextRange(content.From - 1, content.Length + 2)));
        try
        {
            reader.Read();
        }
        catch (JsonException e)
        {
            throw ApiError.Malformed($"The body is not valid JSON: within '{path}', {JsonBody.Cause(e)}").AsException();
        }

        return TryRead(ref reader, out var text) is { } fault
            ? throw ApiError.InvalidValue(path, $"'{path}' {fault}.").AsException()
            : text;
    }
}
