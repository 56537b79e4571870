using System.Globalization;
using RenderFarm.Api.Errors;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Batches;
using RenderFarm.Jobs.Intake;

namespace RenderFarm.Api.Videos;

/// <summary>The query of a list, checked: an SDK that misspells <c>after</c> would otherwise read page one for ever.</summary>
internal sealed record ListQuery(int Limit, string? After, bool Ascending)
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;
    private static readonly string[] Known = ["limit", "after", "order"];

    /// <summary>Of videos, beside filters that <see cref="VideoFilterReader"/> takes.</summary>
    public static ListQuery OfVideos(IQueryCollection query) => Taken(query, "video", JobIds.IsId);

    public static bool IsPlace(string name) => Known.Contains(name);

    public static ListQuery OfBatches(IQueryCollection query) => Of(query, "batch", BatchStore.IsId);

    /// <summary>Of the videos of a batch: they come as its lines do, unless it says otherwise.</summary>
    public static ListQuery OfLines(IQueryCollection query) => Of(query, "video", JobIds.IsId, ascending: true);

    private static ListQuery Of(IQueryCollection query, string what, Func<string, bool> isId, bool ascending = false)
    {
        if (query.Keys.FirstOrDefault(key => !Known.Contains(key)) is { } stray)
        {
            throw ApiError.UnknownParameter(stray, NearestName.To(stray, Known)).AsException();
        }

        return Taken(query, what, isId, ascending);
    }

    private static ListQuery Taken(IQueryCollection query, string what, Func<string, bool> isId, bool ascending = false) =>
        new(
            LimitOf(query["limit"]),
            AfterOf(query["after"].ToString(), what, isId),
            query["order"].ToString() switch
            {
                "" => ascending,
                "desc" => false,
                "asc" => true,
                var other => throw ApiError.InvalidValue("order", $"'order' is '{other}'; accepted are asc, desc.").AsException(),
            }
        );

    /// <summary>What has been deleted since still marks its page, so only the form is checked.</summary>
    private static string? AfterOf(string text, string what, Func<string, bool> isId) =>
        text.Length == 0 ? null
        : isId(text) ? text
        : throw ApiError
            .InvalidValue(
                "after",
                $"'after' is '{(text.Length <= 40 ? text : text[..40] + "…")}'; the id of a {what} is expected, such as the last_id of the "
                    + "page before."
            )
            .AsException();

    private static int LimitOf(string? text) =>
        string.IsNullOrEmpty(text) ? DefaultLimit
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit <= MaxLimit ? limit
        : throw ApiError.InvalidValue("limit", $"'limit' is '{text}'; a whole number from 0 to {MaxLimit} is expected.").AsException();
}
