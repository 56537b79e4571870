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
            return new FarmRefusal(answer.Status, Text(error, "code") ?? "", Text(error, "message") ?? "", Text(error, "param"));
        }

        return new FarmRefusal(answer.Status, "", $"The farm answered {answer.Status}.", null);
    }

    private static string? Text(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
