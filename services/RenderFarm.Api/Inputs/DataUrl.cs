using System.Text;

namespace RenderFarm.Api.Inputs;

/// <summary><c>data:image/png;base64,…</c> as it streams by: nothing of it is held.</summary>
internal static class DataUrl
{
    public const string Scheme = "data:";
    private const int LongestHead = 1 << 10;

    /// <returns>What is packed in it; reading throws <see cref="FormatException"/> where that is not base64.</returns>
    /// <exception cref="FormatException">It is no such URL; the message is the end of a sentence about it.</exception>
    public static Stream Open(Stream url)
    {
        var head = new StringBuilder();
        for (int letter; (letter = url.ReadByte()) != ',';)
        {
            if (letter < 0 || head.Length == LongestHead)
            {
                throw NoDataUrl();
            }

            head.Append((char)letter);
        }

        return head.ToString().EndsWith(";base64", StringComparison.OrdinalIgnoreCase) ? new Base64Stream(url) : throw NoDataUrl();
    }

    private static FormatException NoDataUrl() => new("is not a data URL of the form data:image/png;base64,…");
}
