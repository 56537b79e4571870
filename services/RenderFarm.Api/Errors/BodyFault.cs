using System.Text.Json;

namespace RenderFarm.Api.Errors;

/// <summary>
/// A body that the serialiser could not make a record of, in the words of a client: the field and what is wrong with it. The serialiser's
/// own words name types of ours, which say nothing to anybody outside.
/// </summary>
internal static class BodyFault
{
    private const string MissingMembers = "missing required properties including: ";
    private const string NullMember = "doesn't allow";
    private const string Described = "is not what /openapi/v1.json describes";

    public static ApiError Of(BadHttpRequestException fault) =>
        fault.InnerException is JsonException json ? Of(json)
        : fault.Message.Contains("no body was provided", StringComparison.Ordinal) ? ApiError.Malformed("The body must be a JSON object.")
        : ApiError.Malformed($"The request could not be read: {fault.Message}");

    private static ApiError Of(JsonException fault)
    {
        // The reader's own exception is inside where the text itself is no JSON
        if (fault.InnerException is JsonException)
        {
            return ApiError.Malformed($"The body is not valid JSON (line {fault.LineNumber + 1}, column {fault.BytePositionInLine + 1}).");
        }

        var field = fault.Path is ['$', '.', .. var path] ? path : "";
        var at = fault.Message.IndexOf(MissingMembers, StringComparison.Ordinal);
        if (at >= 0)
        {
            var names = fault.Message[(at + MissingMembers.Length)..].Split('\'').Where((_, i) => i % 2 == 1);
            string[] missing = [.. names.Select(name => field.Length == 0 ? name : $"{field}.{name}")];
            return ApiError.InvalidValue(
                missing.FirstOrDefault() ?? field,
                $"{string.Join(", ", missing.Select(name => $"'{name}'"))} {(missing.Length == 1 ? "is" : "are")} missing."
            );
        }

        var name = field.Length == 0 ? "body" : field;
        return ApiError.InvalidValue(name, Sentence(name, fault.Message));
    }

    private static string Sentence(string name, string message) =>
        message.Contains(NullMember, StringComparison.Ordinal) ? $"'{name}' must not be null."
        : message.Contains(" Path: $", StringComparison.Ordinal) ? $"'{name}' {Described}."
        // A converter of ours says it all
        : message.StartsWith('\'') ? $"{message}."
        : $"'{name}' {message}.";
}
