namespace RenderFarm.Api.Workers;

/// <summary>A part's MD5 in its two spellings: <c>Content-MD5</c> has base64, an <c>ETag</c> has hex.</summary>
internal static class PartChecksum
{
    private const int Bytes = 16;

    public static bool IsMd5(string base64)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        return base64.Length == 24 && Convert.TryFromBase64String(base64, bytes, out var written) && written == Bytes;
    }

    public static string Hex(string base64) => Convert.ToHexStringLower(Convert.FromBase64String(base64));
}
