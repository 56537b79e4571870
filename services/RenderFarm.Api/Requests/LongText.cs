using System.Security.Cryptography;
using System.Text;

namespace RenderFarm.Api.Requests;

/// <summary>A string too long for a tree, where it lies in the body. Lives as long as the request.</summary>
internal sealed class LongText(BodyBytes body, TextRange range)
{
    /// <summary>Of the string as it was written; lower-case hex.</summary>
    public string Sha256 { get; } = Digest(body, range);

    /// <summary>Its characters; what is not ASCII, or no JSON, reads as bytes that stand for none.</summary>
    public Stream Open() => new JsonTextStream(body.Open(range.From), range.Length);

    /// <summary>Whether it begins so, in letters of either case.</summary>
    public bool StartsWith(string start)
    {
        using var text = Open();
        var begin = new byte[start.Length];
        return text.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length
            && Encoding.ASCII.GetString(begin).Equals(start, StringComparison.OrdinalIgnoreCase);
    }

    private static string Digest(BodyBytes body, TextRange range)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var whole = body.Open(range.From);
        var buffer = new byte[1 << 16];
        for (var left = range.Length; left > 0;)
        {
            var read = whole.ReadAtLeast(buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)), 1);
            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
