using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RenderFarm.Contracts.Words;

/// <summary>An enum in JSON: the member's <see cref="Word"/>. What is refused is told with the words there are.</summary>
public sealed class WordConverter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] TEnum> : JsonConverter<TEnum>
    where TEnum : struct, Enum
{
    public override TEnum Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new UnknownWordException($"is no word; it must be one of: {string.Join(", ", Word.All<TEnum>())}");
        }

        var word = reader.GetString();
        return Word.TryParse<TEnum>(word, out var value)
            ? value
            : throw new UnknownWordException($"is '{word}', {Word.NotOneOf<TEnum>(word)}");
    }

    public override void Write(Utf8JsonWriter writer, TEnum value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Word.Of(value));
}
