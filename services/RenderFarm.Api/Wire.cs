using System.Text.Json;

namespace RenderFarm.Api;

/// <summary>The JSON of the public interface.</summary>
internal static class Wire
{
    /// <summary>snake_case; nulls are written unless a member says otherwise, for the SDKs read some of them unconditionally.</summary>
    public static JsonSerializerOptions Json { get; } = Configure(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        // Prompts and negative prompts are readable in every language; the body is never embedded in HTML.
        options.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        return options;
    }

    /// <summary>An enum member as the wire spells it.</summary>
    public static string Word<TEnum>(TEnum value)
        where TEnum : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
