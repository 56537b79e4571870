using System.Text.Json;

namespace RenderFarm.Dashboard.Calls;

/// <summary>The farm said no, in its own words.</summary>
public sealed class FarmRefusalException(FarmRefusal refusal) : Exception(refusal.Message)
{
    public FarmRefusal Refusal { get; } = refusal;
}

/// <param name="Param">The field at fault; null where it is none.</param>
public sealed record FarmRefusal(int Status, string Code, string Message, string? Param)
{
    public static FarmRefusal Of(FarmAnswer answer)
    {
        if (
            answer.Body.ValueKind == JsonValueKind.Object
            && answer.Body.TryGetProperty("error", out var error)
            && error.ValueKind == JsonValueKind.Object
        )
        {
            return new FarmRefusal(answer.Status, Text(error, "code") ?? "", Text(error, "message") ?? "", FieldOf(error));
        }

        return new FarmRefusal(answer.Status, "", $"The farm answered {answer.Status}.", null);
    }

    /// <summary>Whether a field of a form is at fault. A value of a batch's matrix is its field's too, and a tag is metadata.</summary>
    public bool IsAt(string field) =>
        Param is { } param
        && (
            param == field
            || param.StartsWith(field + ".", StringComparison.Ordinal)
            || param.StartsWith(field + "[", StringComparison.Ordinal)
            || param.EndsWith("." + field, StringComparison.Ordinal)
            || (field == "tags" && param.StartsWith("metadata", StringComparison.Ordinal))
        );

    /// <summary>A batch is refused as its file; what to mend is the field of its first wrong line.</summary>
    private static string? FieldOf(JsonElement error) =>
        error.TryGetProperty("lines", out var lines) && lines.ValueKind == JsonValueKind.Array && lines.GetArrayLength() > 0
            ? Text(lines[0], "param") ?? Text(error, "param")
            : Text(error, "param");

    private static string? Text(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
