using System.Text.Json.Nodes;

namespace RenderFarm.Api.Requests;

/// <summary>
/// A request as a tree of fields, whichever way it came. Values of a multipart body are strings; files lie beside the tree.
/// </summary>
internal sealed record RequestBody(JsonObject Fields, IReadOnlyList<UploadedFile> Files)
{
    /// <summary>Strings that are not in the tree, by where they would be: <c>input_reference.image_url</c>.</summary>
    public IReadOnlyDictionary<string, LongText> LongTexts { get; init; } = new Dictionary<string, LongText>();
}

/// <summary>A file part. Its content lives as long as the request.</summary>
internal sealed record UploadedFile(string Field, string FileName, SpooledFile Content);
