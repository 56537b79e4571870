using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Batches;

/// <summary>A digest of a tree as it would be written, without writing all of it down.</summary>
internal static class TreeDigest
{
    private const int Enough = 1 << 16;

    /// <returns>Lower-case hex.</returns>
    public static string Of(JsonNode tree)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new ArrayBufferWriter<byte>(Enough);
        using var writer = new Utf8JsonWriter(buffer);
        Write(tree);
        Move();
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Write(JsonNode? node)
        {
            switch (node)
            {
                case null:
                    writer.WriteNullValue();
                    break;
                case JsonObject members:
                    writer.WriteStartObject();
                    foreach (var (name, value) in members)
                    {
                        writer.WritePropertyName(name);
                        Write(value);
                    }

                    writer.WriteEndObject();
                    break;
                case JsonArray items:
                    writer.WriteStartArray();
                    foreach (var item in items)
                    {
                        Write(item);
                    }

                    writer.WriteEndArray();
                    break;
                default:
                    node.WriteTo(writer);
                    break;
            }

            if (writer.BytesPending + buffer.WrittenCount > Enough)
            {
                Move();
            }
        }

        void Move()
        {
            writer.Flush();
            hash.AppendData(buffer.WrittenSpan);
            buffer.ResetWrittenCount();
        }
    }
}
