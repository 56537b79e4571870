using Microsoft.OpenApi;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Api.Description;

/// <summary>The filters of a list of videos as query parameters. All that are given must hold.</summary>
internal static class VideoFilterSchema
{
    private static readonly string States = string.Join("`, `", Enum.GetValues<VideoState>().Select(state => Word.Of(state)));

    public static IEnumerable<(string Name, string About, OpenApiSchema Schema)> Parameters =>
    [
        ("status", $"One of `{States}`, or several with commas between them.", Text()),
        ("model", "The model's id.", Text()),
        ("worker", "Id or name of the worker that has it, or had it last.", Text()),
        ("batch", "Id of the batch that it came with.", Text()),
        ("error_code", "The `error.code` of a failed or cancelled video.", Text()),
        ("metadata[name]", "The value of a pair of its metadata; `name` is the pair's own. May be given for several pairs.", Text()),
        (
            "text",
            "Stands in the prompt. A page of such a list looks at so many videos and may come back short: `has_more` and `last_id` say "
                + "from where to go on.",
            Text()
        ),
        ("created_after", "Unix seconds: submitted then or later.", Time()),
        ("created_before", "Unix seconds: submitted before.", Time()),
    ];

    private static OpenApiSchema Text() => new() { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 200 };

    private static OpenApiSchema Time() => new() { Type = JsonSchemaType.Integer, Minimum = "0" };
}
