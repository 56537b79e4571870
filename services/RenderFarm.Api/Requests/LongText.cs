namespace RenderFarm.Api.Requests;

/// <summary>A string too long for a tree, where it lies in the body. Lives as long as the request.</summary>
/// <param name="Sha256">Of the string as it was written; lower-case hex.</param>
internal sealed record LongText(BodyBytes Body, TextRange Range, string Sha256)
{
    /// <summary>Its characters; what is not ASCII, or no JSON, reads as bytes that stand for none.</summary>
    public Stream Open() => new JsonTextStream(Body.Open(Range.From), Range.Length);

    /// <summary>Whether it begins so, in letters of either case.</summary>
    public bool StartsWith(string start)
    {
        using var text = Open();
        var begin = new byte[start.Length];
        return text.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false) == begin.Length
            && System.Text.Encoding.ASCII.GetString(begin).Equals(start, StringComparison.OrdinalIgnoreCase);
    }
}
