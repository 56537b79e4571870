using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Inputs;

/// <summary>A picture: a link (or data URL), or the file itself.</summary>
internal sealed record InputReference(string? ImageUrl, UploadedFile? File)
{
    /// <summary>Equal for equal pictures given the same way.</summary>
    public string? Mark => File?.Content.Sha256 ?? ImageUrl;
}
