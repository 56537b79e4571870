using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Videos;

/// <summary><c>POST /v1/videos/bulk</c>: one thing done to all videos of a filter, counted first.</summary>
internal static class BulkEndpoint
{
    public static void MapBulk(this RouteGroupBuilder videos) =>
        videos
            .MapPost("/bulk", DoAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Cancel, retry or delete all videos of a filter; `dry_run` counts them")
            .Accepts<BulkFields>("application/json")
            .Produces<BulkView>();

    private static async Task<BulkView> DoAsync(
        HttpContext context,
        VideoFilterReader filters,
        JobBulk bulk,
        ICancelCourier courier,
        CancellationToken cancellationToken
    )
    {
        var body = (await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields;
        var fields = new FieldReader(body);
        var action = fields.Choice<BulkAction>("action") ?? throw fields.Invalid("action", "is missing: cancel, retry or delete");
        var isAll = fields.Flag("all") == true;
        var dryRun = fields.Flag("dry_run") == true;
        var expected = (int?)fields.Whole("expected", 0, int.MaxValue);
        var filter = fields.Object("filter") is { } given
            ? await filters.OfBodyAsync(given, body["filter"], cancellationToken)
            : JobFilter.All;
        fields.RefuseRest();
        var isEmpty = filter == JobFilter.All || body["filter"] is System.Text.Json.Nodes.JsonObject { Count: 0 };
        if (isEmpty && !isAll)
        {
            throw fields.Invalid("filter", "says nothing, which is every video: if that is meant, send all: true");
        }

        if (!isEmpty && isAll)
        {
            throw fields.Invalid("all", "is for every video: leave it out beside a filter");
        }

        var scope = context.Caller().Jobs;
        if (dryRun)
        {
            return new BulkView(await bulk.CountAsync(scope, filter, action, cancellationToken), 0, []);
        }

        var result = await bulk.DoAsync(scope, filter, action, expected, cancellationToken);
        if (result is not BulkResult.Done done)
        {
            throw ApiError.CountChanged(expected!.Value, ((BulkResult.Changed)result).Matched).AsException();
        }

        foreach (var job in done.Held)
        {
            courier.TellWorkerOf(job);
        }

        return new BulkView(done.Matched, done.Count, done.Failed);
    }
}

/// <summary>Which videos; all that is said must hold.</summary>
/// <param name="Status">One of a list's words, or several with commas between them.</param>
/// <param name="Worker">Id or name of the worker that has it, or had it last.</param>
/// <param name="CreatedAfter">Unix seconds: submitted then or later.</param>
/// <param name="CreatedBefore">Unix seconds: submitted before.</param>
/// <param name="Ids">These alone, at most 1,000.</param>
internal sealed record FilterFields(
    string? Status,
    string? Model,
    string? Worker,
    string? Batch,
    string? ErrorCode,
    IReadOnlyDictionary<string, string>? Metadata,
    string? Text,
    long? CreatedAfter,
    long? CreatedBefore,
    IReadOnlyList<string>? Ids
);

/// <param name="All">Every video, in place of a filter.</param>
/// <param name="DryRun">Count, and do nothing.</param>
/// <param name="Expected">The count that was seen: if there are more or fewer by now, nothing is done.</param>
internal sealed record BulkFields(BulkAction Action, FilterFields? Filter, bool? All, bool? DryRun, int? Expected);

/// <param name="Matched">How many it could be done to.</param>
/// <param name="Failed">To which of them it was not done, and why.</param>
internal sealed record BulkView(int Matched, int Done, IReadOnlyList<BulkFailure> Failed)
{
    public string Object { get; } = "bulk";
}
