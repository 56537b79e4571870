using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Queue;

namespace RenderFarm.Api.Waiting;

/// <summary><c>/v1/queue</c>: what waits, by model and class of card, and what an operator has paused.</summary>
internal static class QueueEndpoints
{
    private const int LongestName = 200;

    public static void MapQueue(this IEndpointRouteBuilder routes)
    {
        var queue = routes.MapGroup("/v1/queue").WithTags("Queue");
        queue
            .MapGet(
                "/",
                (HttpContext context, QueueBoard board, QueuePauses pauses, CancellationToken cancellationToken) =>
                    ShowAsync(context.Caller(), board, pauses, cancellationToken)
            )
            .RequireScope(Scopes.Read)
            .WithSummary("What waits, how long and how much work that is; what is paused");
        queue
            .MapPost("/pause", PauseAsync)
            .RequireScope(Scopes.Admin)
            .WithSummary("Give no more videos to workers: of a model, of a key, or any; running ones go on")
            .Accepts<PartFields>(isOptional: true, "application/json")
            .Produces<QueueView>();
        queue
            .MapPost("/resume", ResumeAsync)
            .RequireScope(Scopes.Admin)
            .WithSummary("End a pause; without a body, all of them")
            .Accepts<PartFields>(isOptional: true, "application/json")
            .Produces<QueueView>();
    }

    private static async Task<QueueView> ShowAsync(
        ApiKey caller,
        QueueBoard board,
        QueuePauses pauses,
        CancellationToken cancellationToken
    )
    {
        var lanes = await board.ReadAsync(cancellationToken);
        // Other tenants' keys are nobody's business
        var shown = (await pauses.ListAsync(cancellationToken)).Where(pause =>
            caller.Allows(KeyScopes.Admin) || pause.Part.KeyId is null || pause.Part.KeyId == caller.Id
        );
        return new QueueView([.. shown.Select(PauseView.Of)], [.. lanes.Select(LaneView.Of)]);
    }

    private static async Task<QueueView> PauseAsync(
        HttpContext context,
        QueueBoard board,
        QueuePauses pauses,
        ApiKeys keys,
        CancellationToken cancellationToken
    )
    {
        var part = await PartOfAsync(context.Request, cancellationToken);
        if (part.KeyId is { } key && (await keys.ListAsync(cancellationToken)).All(known => known.Id != key))
        {
            throw ApiError.NotFound("key", key).AsException();
        }

        await pauses.PauseAsync(part, cancellationToken);
        return await ShowAsync(context.Caller(), board, pauses, cancellationToken);
    }

    private static async Task<QueueView> ResumeAsync(
        HttpContext context,
        QueueBoard board,
        QueuePauses pauses,
        CancellationToken cancellationToken
    )
    {
        await pauses.ResumeAsync(await PartOfAsync(context.Request, cancellationToken), cancellationToken);
        return await ShowAsync(context.Caller(), board, pauses, cancellationToken);
    }

    private static async Task<QueuePart> PartOfAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentType is null && request.ContentLength is null or 0)
        {
            return new QueuePart(null, null);
        }

        var fields = new FieldReader((await BodyReader.ReadAsync(request, cancellationToken)).Fields);
        var part = new QueuePart(
            fields.Text("model", LongestName, mayBeEmpty: false),
            fields.Text("key", LongestName, mayBeEmpty: false)
        );
        fields.RefuseRest();
        return part;
    }
}

/// <summary>Neither of the two: the whole queue.</summary>
internal sealed record PartFields
{
    /// <summary>A model's id; absent: of any model.</summary>
    public string? Model { get; init; }

    /// <summary>Id of an API key; absent: of any key.</summary>
    public string? Key { get; init; }
}

internal sealed record QueueView(IReadOnlyList<PauseView> Paused, IReadOnlyList<LaneView> Classes)
{
    public string Object { get; } = "queue";
}

/// <param name="Model">Null: of any model.</param>
/// <param name="Key">Null: of any key.</param>
internal sealed record PauseView(string? Model, string? Key, long Since)
{
    public static PauseView Of(QueuePause pause) => new(pause.Part.Model, pause.Part.KeyId, pause.Since.ToUnixTimeSeconds());
}

/// <summary>Videos of one model and class of card, which wait in one line.</summary>
internal sealed record LaneView
{
    /// <summary>GiB; 0 runs anywhere.</summary>
    public required int VramClass { get; init; }
    public required string Model { get; init; }
    public required int Queued { get; init; }

    /// <summary>How long the one that waits longest has; null where none waits.</summary>
    public required double? OldestSeconds { get; init; }

    /// <summary>The estimated work of all that wait.</summary>
    public required double GpuSeconds { get; init; }

    /// <summary>Completed within the last hour.</summary>
    public required int PerHour { get; init; }

    public static LaneView Of(QueueLane lane) =>
        new()
        {
            VramClass = lane.VramClass,
            Model = lane.Model,
            Queued = lane.Queued,
            OldestSeconds = lane.OldestSeconds is { } seconds ? Math.Round(seconds, 1) : null,
            GpuSeconds = Math.Round(lane.WorkSeconds, 1),
            PerHour = lane.PerHour,
        };
}
