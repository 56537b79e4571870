using System.Text.Json;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Batches;

namespace RenderFarm.Api.Batches;

/// <summary><c>/v1/batches</c>: many videos in one request, all or none.</summary>
internal static class BatchEndpoints
{
    private const int ManifestPage = 500;

    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        var batches = routes.MapGroup("/v1/batches").WithTags("Batches");
        batches
            .MapPost("/", CreateAsync)
            .RequireScope(Scopes.Submit)
            .WithBodyLimit(BodyLimits.Batch)
            .WithSummary("Submit up to 10,000 videos: JSON Lines, or every combination of a matrix; all or none")
            .Produces<BatchView>();
        batches.MapGet("/", ListAsync).RequireScope(Scopes.Read).WithSummary("List batches, newest first").Produces<BatchList>();
        batches
            .MapGet(
                "/{id}",
                async (string id, HttpContext context, BatchStore store, CancellationToken cancellationToken) =>
                    BatchView.Of(await FindAsync(id, context, store, cancellationToken))
            )
            .RequireScope(Scopes.Read)
            .WithSummary("How a batch is doing")
            .Produces<BatchView>();
        batches
            .MapGet("/{id}/videos", VideosAsync)
            .RequireScope(Scopes.Read)
            .WithSummary("List the videos of a batch, in the order of its lines")
            .Produces<VideoList>();
        batches
            .MapDelete("/{id}", DeleteAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Delete a batch and its videos; what has not ended is cancelled first")
            .Produces<DeletedBatch>();
        batches
            .MapPost("/{id}/cancel", CancelAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Stop what has not ended")
            .Produces<BatchView>();
        batches
            .MapGet("/{id}/manifest", ManifestAsync)
            .RequireScope(Scopes.Read)
            .WithSummary("What became of each line, as JSON Lines")
            .Produces(200, contentType: "application/jsonl");
    }

    private static async Task<BatchView> CreateAsync(
        HttpContext context,
        BatchReader reader,
        BatchStore store,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var (caller, repeat, id) = (context.Caller(), RepeatMarks.Of(context.Request), BatchStore.NewId(time));
        var result = await reader.ReadAsync(
            context.Request,
            caller,
            id,
            batch =>
                store.SubmitAsync(
                    new NewBatch
                    {
                        Id = id,
                        KeyId = caller.Id,
                        IdempotencyKey = repeat.IdempotencyKey,
                        RequestHash = batch.Digest,
                        IsClientRetry = repeat.IsClientRetry,
                        Metadata = batch.Metadata,
                    },
                    batch.Jobs,
                    cancellationToken
                ),
            cancellationToken
        );
        return result is BatchResult.Conflict ? throw ApiError.IdempotencyConflict().AsException() : BatchView.Of(result.Batch);
    }

    private static async Task<BatchList> ListAsync(HttpContext context, BatchStore store, CancellationToken cancellationToken)
    {
        var query = ListQuery.OfBatches(context.Request.Query);
        var page = await store.ListAsync(context.Caller().Jobs, query.Limit, query.After, query.Ascending, cancellationToken);
        return new BatchList([.. page.Batches.Select(BatchView.Of)], page.HasMore);
    }

    private static async Task<BatchView> CancelAsync(
        string id,
        HttpContext context,
        BatchStore store,
        ICancelCourier courier,
        CancellationToken cancellationToken
    )
    {
        var stopped = await store.CancelAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);
        TellWorkersOf(stopped, courier);
        return BatchView.Of(stopped.Batch);
    }

    private static async Task<DeletedBatch> DeleteAsync(
        string id,
        HttpContext context,
        BatchStore store,
        ICancelCourier courier,
        CancellationToken cancellationToken
    )
    {
        TellWorkersOf(await store.DeleteAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id), courier);
        return new DeletedBatch(id);
    }

    private static void TellWorkersOf(BatchStopped stopped, ICancelCourier courier)
    {
        foreach (var job in stopped.Held)
        {
            courier.TellWorkerOf(job);
        }
    }

    private static async Task<VideoList> VideosAsync(
        string id,
        HttpContext context,
        BatchStore store,
        CancellationToken cancellationToken
    )
    {
        await FindAsync(id, context, store, cancellationToken);
        var query = ListQuery.OfLines(context.Request.Query);
        var page =
            await store.PageAsync(id, query.Limit, query.After, query.Ascending, cancellationToken)
            ?? throw ApiError.InvalidValue("after", $"'after' is '{query.After}', which is no video of batch '{id}'.").AsException();
        return VideoList.Of(page);
    }

    private static async Task ManifestAsync(string id, HttpContext context, BatchStore store, CancellationToken cancellationToken)
    {
        await FindAsync(id, context, store, cancellationToken);
        context.Response.ContentType = "application/jsonl";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{id}.jsonl\"";
        var line = 0;
        IReadOnlyList<Job> page;
        do
        {
            page = await store.JobsAsync(id, line, ManifestPage, cancellationToken);
            foreach (var job in page)
            {
                line = job.BatchLine!.Value;
                var video = Video.Of(job);
                var content = job.State == JobState.Completed ? $"/v1/videos/{job.Id}/content" : null;
                await context.Response.Body.WriteAsync(
                    JsonSerializer.SerializeToUtf8Bytes(new ManifestLine(line, job.Id, video.Status, content, video), Wire.Json),
                    cancellationToken
                );
                await context.Response.Body.WriteAsync("\n"u8.ToArray(), cancellationToken);
            }
        } while (page.Count == ManifestPage);
    }

    private static async Task<Batch> FindAsync(string id, HttpContext context, BatchStore store, CancellationToken cancellationToken) =>
        await store.GetAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);

    private static ApiErrorException NotFound(string id) => ApiError.NotFound("batch", id).AsException();
}
