using System.Security.Cryptography;
using System.Text.Json;

namespace RenderFarm.Api.Videos;

/// <summary>
/// Tells a repeat from another request: a digest of the parsed fields and file bytes. Not of the raw body: multipart
/// boundaries differ between tries, and field order and number spelling mean nothing.
/// </summary>
internal static class RequestDigest
{
    /// <param name="action">The endpoint, so that equal bodies of different actions differ.</param>
    /// <param name="boundary">Where it tells requests apart; see <see cref="RepeatMarks"/>.</param>
    public static string Of(string action, VideoRequest request, string? boundary = null)
    {
        var canonical = new
        {
            action,
            boundary,
            request = request with
            {
                InputReference = null,
                LastFrame = null,
                Metadata = new SortedDictionary<string, string>(request.Metadata.ToDictionary(), StringComparer.Ordinal),
            },
            picture = request.InputReference?.Mark,
            lastPicture = request.LastFrame?.Mark,
        };
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(canonical)));
    }
}
