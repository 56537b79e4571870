using System.Globalization;

namespace RenderFarm.Inference.SelfTests;

/// <summary>
/// FNV-1a in 64 bits. Every renderer asks for one as it starts, and a cryptographic library takes longer to load than all the rest.
/// </summary>
internal static class ShortDigest
{
    public static string Of(string text)
    {
        var digest = 14_695_981_039_346_656_037;
        foreach (var c in text)
        {
            digest = unchecked((digest ^ c) * 1_099_511_628_211);
        }

        return digest.ToString("x16", CultureInfo.InvariantCulture);
    }
}
