using System.ComponentModel.DataAnnotations;

namespace RenderFarm.Api.Videos;

/// <summary>Settings under <c>Videos:</c>.</summary>
internal sealed class VideosOptions
{
    public const string Section = "Videos";

    /// <summary>The model of a request that names none.</summary>
    [Required(AllowEmptyStrings = false, ErrorMessage = "Videos:DefaultModel must name a model, such as demo.")]
    public string DefaultModel { get; set; } = "demo";

    /// <summary>Names that clients already use, and the model each stands for: <c>Videos:Aliases:sora-2 = t2v-14b</c>.</summary>
    public Dictionary<string, string> Aliases { get; set; } = [];

    /// <summary>How long a <c>download_url</c> works.</summary>
    [Range(60, 7 * 86_400, ErrorMessage = "Videos:DownloadLinkSeconds must be from 60 to 604800.")]
    public int DownloadLinkSeconds { get; set; } = 3_600;

    public string Resolve(string? model) => model is null ? DefaultModel : Aliases.GetValueOrDefault(model, model);
}
