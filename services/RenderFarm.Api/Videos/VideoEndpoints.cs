using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Requests;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Videos;

/// <summary><c>/v1/videos</c>: submit, look, list, change, stop, run again, delete. Downloads are in <see cref="VideoContent"/>.</summary>
internal static class VideoEndpoints
{
    public static RouteGroupBuilder MapVideos(this IEndpointRouteBuilder routes)
    {
        var videos = routes.MapGroup("/v1/videos").WithTags("Videos");

        videos
            .MapPost("/", CreateAsync)
            .RequireScope(Scopes.Submit)
            .WithBodyLimit(BodyLimits.Submit)
            .WithSummary("Submit a video")
            .Accepts<VideoFields>("application/json", "multipart/form-data")
            .Produces<Video>();
        videos
            .MapGet("/", ListAsync)
            .RequireScope(Scopes.Read)
            .WithSummary("List videos, newest first, all or those of a filter")
            .Produces<VideoList>();
        videos.MapBulk();
        videos.MapGet("/{id}", GetAsync).RequireScope(Scopes.Read).WithSummary("One video").Produces<Video>();
        videos
            .MapDelete("/{id}", DeleteAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Delete a video; a running one is cancelled first")
            .Produces<DeletedVideo>();
        videos
            .MapPatch("/{id}", EditAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Change a video's metadata, or its priority while it waits")
            .Accepts<EditFields>("application/json")
            .Produces<Video>();
        videos
            .MapPost("/{id}/undelete", UndeleteAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Take a deletion back, until the files are gone")
            .Produces<Video>();
        videos.MapPost("/{id}/cancel", CancelAsync).RequireScope(Scopes.Submit).WithSummary("Stop a video").Produces<Video>();
        videos
            .MapPost("/{id}/retry", RetryAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("Run a failed or cancelled video again")
            .Produces<Video>();
        videos
            .MapPost("/{id}/remix", RemixAsync)
            .RequireScope(Scopes.Submit)
            .WithSummary("The same video with another prompt")
            .Accepts<RemixFields>("application/json", "multipart/form-data")
            .Produces<Video>();
        videos
            .MapGet("/{id}/attempts", AttemptsAsync)
            .RequireScope(Scopes.Read)
            .WithSummary("What each lease of a video came to")
            .Produces<AttemptList>();
        videos
            .MapMethods("/{id}/content", ["GET", "HEAD"], VideoContent.GetAsync)
            .RequireScope(Scopes.Read)
            .WithSummary("Download the video, its thumbnail or its spritesheet")
            .Produces(200, contentType: "video/mp4");

        foreach (var action in (string[])["edits", "extensions", "characters"])
        {
            videos
                .MapMethods($"/{action}/{{**rest}}", ["GET", "POST", "DELETE"], () => NotBuilt($"/v1/videos/{action}"))
                .RequireScope(Scopes.Read)
                .ExcludeFromDescription();
        }

        return videos;
    }

    private static async Task<Video> CreateAsync(
        HttpContext context,
        VideoSubmission submission,
        VideoPage page,
        CancellationToken cancellationToken
    )
    {
        var request = VideoRequestReader.Read(await BodyReader.ReadAsync(context.Request, BodyShape.Video, cancellationToken));
        var job = await submission.SubmitAsync(request, context.Caller(), RepeatMarks.Of(context.Request), cancellationToken);
        return await page.ShowAsync(job, context.Response, cancellationToken);
    }

    private static async Task<VideoList> ListAsync(
        HttpContext context,
        VideoFilterReader filters,
        JobStore jobs,
        CancellationToken cancellationToken
    )
    {
        var query = ListQuery.OfVideos(context.Request.Query);
        var filter = await filters.OfQueryAsync(context.Request.Query, cancellationToken);
        return VideoList.Of(
            await jobs.ListAsync(
                context.Caller().Jobs,
                filter,
                new PagePlace(query.Limit, query.After, query.Ascending),
                cancellationToken
            )
        );
    }

    private static async Task<Video> GetAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        VideoPage page,
        CancellationToken cancellationToken
    )
    {
        var job = await jobs.GetAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);
        return await page.ShowAsync(job, context.Response, cancellationToken);
    }

    private static async Task<DeletedVideo> DeleteAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        ICancelCourier courier,
        CancellationToken cancellationToken
    )
    {
        var job = await jobs.DeleteAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);
        courier.TellWorkerOf(job);
        return new DeletedVideo(id);
    }

    private static async Task<Video> CancelAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        ICancelCourier courier,
        VideoPage page,
        CancellationToken cancellationToken
    )
    {
        var job = await jobs.CancelAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);
        courier.TellWorkerOf(job);
        return await page.ShowAsync(job, context.Response, cancellationToken);
    }

    private static async Task<Video> RetryAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        VideoPage page,
        CancellationToken cancellationToken
    ) =>
        await jobs.RetryAsync(id, context.Caller().Jobs, cancellationToken) switch
        {
            RetryResult.Requeued { Job: var job } => await page.ShowAsync(job, context.Response, cancellationToken),
            // A repeat of a retry that got through: the job is on its way again, and that is the answer.
            RetryResult.WrongState { Job: { FinishedAt: null } job }
                when RepeatMarks.Of(context.Request) is { IsClientRetry: true } or { IdempotencyKey: not null } => await page.ShowAsync(
                job,
                context.Response,
                cancellationToken
            ),
            RetryResult.WrongState { Job: var job } => throw ApiError
                .WrongState($"Video '{id}' is {StatusWord(job)}; only a failed or cancelled one can be run again.")
                .AsException(),
            _ => throw NotFound(id),
        };

    private static async Task<Video> EditAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        VideoPage page,
        CancellationToken cancellationToken
    )
    {
        var caller = context.Caller();
        var edit = EditReader.Read((await BodyReader.ReadAsync(context.Request, cancellationToken)).Fields);
        if (edit.Priority > caller.PriorityCeiling)
        {
            throw ApiError.PriorityAboveCeiling(caller.PriorityCeiling).AsException();
        }

        return await jobs.EditAsync(id, caller.Jobs, edit, cancellationToken) switch
        {
            EditResult.Edited { Job: var job } => await page.ShowAsync(job, context.Response, cancellationToken),
            EditResult.NotWaiting { Job: var job } => throw ApiError
                .WrongState($"Video '{id}' is {StatusWord(job)}; only the priority of a queued one can be changed.")
                .AsException(),
            EditResult.TooManyPairs { Count: var count } => throw ApiError
                .InvalidValue("metadata", $"'metadata' would have {count} pairs; at most {JobEdit.MostPairs} are accepted.")
                .AsException(),
            _ => throw NotFound(id),
        };
    }

    private static async Task<Video> UndeleteAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        VideoPage page,
        CancellationToken cancellationToken
    ) =>
        await jobs.UndeleteAsync(id, context.Caller().Jobs, cancellationToken) switch
        {
            UndeleteResult.Seen { Job: var job } => await page.ShowAsync(job, context.Response, cancellationToken),
            UndeleteResult.Gone => throw ApiError.Expired(id).AsException(),
            _ => throw NotFound(id),
        };

    private static async Task<Video> RemixAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        VideoSubmission submission,
        VideoPage page,
        CancellationToken cancellationToken
    )
    {
        var prompt = VideoRequestReader.ReadRemix(await BodyReader.ReadAsync(context.Request, cancellationToken));
        var source = await jobs.GetAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);
        var job = await submission.RemixAsync(source, prompt, context.Caller(), RepeatMarks.Of(context.Request), cancellationToken);
        return await page.ShowAsync(job, context.Response, cancellationToken);
    }

    private static async Task<AttemptList> AttemptsAsync(string id, HttpContext context, JobStore jobs, CancellationToken cancellationToken)
    {
        var leases = await jobs.LeasesAsync(id, context.Caller().Jobs, cancellationToken) ?? throw NotFound(id);
        return new AttemptList([.. leases.Select(lease => Attempt.Of(lease, isOperator: context.Caller().Allows(KeyScopes.Admin)))]);
    }

    private static IResult NotBuilt(string what) => throw ApiError.NotSupported($"{what} is not offered by this farm.").AsException();

    internal static ApiErrorException NotFound(string id) => ApiError.NotFound("video", id).AsException();

    internal static string StatusWord(Job job) =>
        job.State == JobState.Cancelled ? Word.Of(job.State) : Word.Of(Video.StatusOf(job.State)).Replace('_', ' ');
}
