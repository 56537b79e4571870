using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Api.Videos;

/// <summary>Settings under <c>Videos:</c>.</summary>
internal sealed class VideosOptions : ISettings
{
    public static string Section => "Videos";

    /// <summary>The model of a request that names none.</summary>
    [Required(AllowEmptyStrings = false, ErrorMessage = "must name a model, such as demo.")]
    public string DefaultModel { get; set; } = "demo";

    /// <summary>How far the plan of a request that says nothing may go from the precision of the model's file.</summary>
    public Quality DefaultQuality { get; set; }

    /// <summary>Names that clients already use, and the model each stands for: <c>Videos:Aliases:sora-2 = t2v-14b</c>.</summary>
    public Dictionary<string, string> Aliases { get; set; } = [];

    /// <summary>How long a <c>download_url</c> works.</summary>
    [Between(60, 7 * 86_400)]
    public int DownloadLinkSeconds { get; set; } = 3_600;

    public string Resolve(string? model) => model is null ? DefaultModel : Aliases.GetValueOrDefault(model, model);
}

[OptionsValidator]
internal sealed partial class VideosOptionsValidator : IValidateOptions<VideosOptions>;
