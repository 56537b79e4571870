using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace RenderFarm.Contracts.Leases;

/// <summary>
/// What nobody but the holder of a lease can know: random for every grant, so that two grants of one fence, after the database was taken
/// back to an earlier state, are still two. Only the wire of <c>/worker/v1</c>, the tables and a worker's own files have it
/// (<see cref="Secret"/>); everybody else is shown its <see cref="Digest"/>, and so is whoever prints this.
/// </summary>
[JsonConverter(typeof(LeaseTokenConverter))]
public readonly record struct LeaseToken
{
    /// <summary>Hex digits of <see cref="Digest"/>: enough to tell the grants of one fence of one job apart.</summary>
    public const int DigestLength = 12;
    private const int SecretLength = 32;
    private readonly string? _secret;

    private LeaseToken(string secret) => _secret = secret;

    public string Secret => _secret ?? throw new InvalidOperationException("no lease was granted with this token");

    /// <summary>The first digits of its SHA-256, as object keys have it.</summary>
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Secret)))[..DigestLength];

    public static LeaseToken New() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretLength / 2)));

    /// <summary>The secret read back; false for what is no token at all.</summary>
    public static bool TryParse([NotNullWhen(true)] string? secret, out LeaseToken token)
    {
        var parsed = secret is { Length: SecretLength } && secret.All(char.IsAsciiHexDigitLower);
        token = parsed ? new LeaseToken(secret!) : default;
        return parsed;
    }

    /// <exception cref="FormatException">The text is no token.</exception>
    public static LeaseToken Parse(string? secret) =>
        TryParse(secret, out var token) ? token : throw new FormatException($"a lease's token has {SecretLength} hex digits");

    public override string ToString() => _secret is null ? "" : Digest;
}

/// <summary>A token in JSON: its secret.</summary>
public sealed class LeaseTokenConverter : JsonConverter<LeaseToken>
{
    public override LeaseToken Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && LeaseToken.TryParse(reader.GetString(), out var token)
            ? token
            : throw new JsonException("'token' must be the one that the lease was granted with");

    public override void Write(Utf8JsonWriter writer, LeaseToken value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Secret);
}
