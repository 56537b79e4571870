using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace RenderFarm.Cli.Http;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(VideoRequest))]
[JsonSerializable(typeof(Video))]
[JsonSerializable(typeof(BatchStatus))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(KeysFile))]
[JsonSerializable(typeof(SavedLogin))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class FarmJson : JsonSerializerContext
{
    private static FarmJson? _plain;

    /// <summary>For what people and programs read on a terminal: no apostrophe or letter escaped that JSON doesn't need escaped.</summary>
    public static FarmJson Plain =>
        _plain ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
