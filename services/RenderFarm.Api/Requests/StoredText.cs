using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace RenderFarm.Api.Requests;

/// <summary>
/// A text of a tree that lies in the body still: of a list of thousands, one at a time is in memory. Written, or cloned, it is its text.
/// Lives as long as the request.
/// </summary>
/// <param name="list">Where it lies, for messages.</param>
internal sealed class StoredText(BodyBytes body, TextRange range, string list, int index)
{
    private static readonly JsonTypeInfo<StoredText> Written = JsonMetadataServices.CreateValueInfo<StoredText>(
        JsonSerializerOptions.Default,
        new Writer()
    );

    public JsonValue AsNode() => JsonValue.Create(this, Written)!;

    /// <exception cref="Errors.ApiErrorException">400: it is none that can be kept.</exception>
    public string Read() => JsonText.Read(body, range, $"{list}[{index}]");

    private sealed class Writer : JsonConverter<StoredText>
    {
        public override StoredText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, StoredText value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Read());
    }
}
