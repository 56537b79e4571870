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
internal sealed record FilterFields
{
    /// <summary>One of a list's words, or several with commas between them.</summary>
    public string? Status { get; init; }
    public string? Model { get; init; }

    /// <summary>Id or name of the worker that has it, or had it last.</summary>
    public string? Worker { get; init; }
    public string? Batch { get; init; }
    public string? ErrorCode { get; init; }
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    public string? Text { get; init; }

    /// <summary>Unix seconds: submitted then or later.</summary>
    public long? CreatedAfter { get; init; }

    /// <summary>Unix seconds: submitted before.</summary>
    public long? CreatedBefore { get; init; }

    /// <summary>These alone, at most 1,000.</summary>
    public IReadOnlyList<string>? Ids { get; init; }
}

internal sealed record BulkFields
{
    public required BulkAction Action { get; init; }
    public FilterFields? Filter { get; init; }

    /// <summary>Every video, in place of a filter.</summary>
    public bool? All { get; init; }

    /// <summary>Count, and do nothing.</summary>
    public bool? DryRun { get; init; }

    /// <summary>The count that was seen: if there are more or fewer by now, nothing is done.</summary>
    public int? Expected { get; init; }
}

/// <param name="Matched">How many it could be done to.</param>
/// <param name="Failed">To which of them it was not done, and why.</param>
internal sealed record BulkView(int Matched, int Done, IReadOnlyList<BulkFailure> Failed)
{
    public string Object { get; } = "bulk";
}
