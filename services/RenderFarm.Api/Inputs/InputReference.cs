using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Inputs;

/// <summary>A picture: a link, a data URL too long to be held as text, or the file itself.</summary>
internal sealed record InputReference(string? ImageUrl, UploadedFile? File, LongText? Text = null)
{
    /// <summary>Equal for equal pictures given the same way.</summary>
    public string? Mark => File?.Content.Sha256 ?? Text?.Sha256 ?? ImageUrl;
}
