using System.Globalization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Events;

/// <summary>Server-sent events for users.</summary>
internal static class EventEndpoints
{
    private static readonly string[] Known = ["after", "preview"];

    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/videos/{id}/events", OfVideoAsync)
            .WithTags("Events")
            .RequireScope(Scopes.Read)
            .WithSummary("What happens to a video, as server-sent events; resumes after Last-Event-ID, ends with the video")
            .Produces(200, contentType: "text/event-stream");
        routes
            .MapGet("/v1/events", OfKeyAsync)
            .WithTags("Events")
            .RequireScope(Scopes.Read)
            .WithSummary("What happens to all videos of this key, as server-sent events from now on, or from after Last-Event-ID")
            .Produces(200, contentType: "text/event-stream");
    }

    private static async Task OfVideoAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        VideoStream videos,
        StreamPlaces places,
        IHostApplicationLifetime lifetime
    )
    {
        var previews = FlagOf(context.Request.Query, "preview");
        var after = PlaceOf(context.Request);
        var scope = context.Caller().Jobs;
        var job = await jobs.GetAsync(id, scope, context.RequestAborted) ?? throw ApiError.NotFound("video", id).AsException();
        if (after is { } place && await videos.IsOverAsync(job, place, context.RequestAborted))
        {
            // Tells a browser not to come back
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await StreamAsync(context, places, lifetime, (stream, ended) => videos.SendAsync(job, scope, after ?? 0, previews, stream, ended));
    }

    private static Task OfKeyAsync(HttpContext context, FarmStream farm, StreamPlaces places, IHostApplicationLifetime lifetime)
    {
        var after = PlaceOf(context.Request);
        return StreamAsync(context, places, lifetime, (stream, ended) => farm.SendAsync(context.Caller().Jobs, after, stream, ended));
    }

    private static async Task StreamAsync(
        HttpContext context,
        StreamPlaces places,
        IHostApplicationLifetime lifetime,
        Func<ServerSentEvents, CancellationToken, Task> send
    )
    {
        using var place = places.Take(context.Caller());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var stream = new ServerSentEvents(context.Response, ended.Token);
            await stream.BeginAsync();
            await send(stream, ended.Token);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The client comes back to whoever is there then.
        }
    }

    /// <summary>Browsers can't set a header at their first request: <c>?after=</c> says the same.</summary>
    private static long? PlaceOf(HttpRequest request)
    {
        if (request.Query.Keys.FirstOrDefault(key => !Known.Contains(key)) is { } stray)
        {
            throw ApiError.UnknownParameter(stray, NearestName.To(stray, Known)).AsException();
        }

        var (text, name) = request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } header
            ? (header, "Last-Event-ID")
            : (request.Query["after"].ToString(), "after");
        return text.Length == 0 ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place
            : throw ApiError.InvalidValue(name, $"'{name}' is not the id of an event of this farm.").AsException();
    }

    private static bool FlagOf(IQueryCollection query, string name) =>
        query[name].ToString() switch
        {
            "" or "false" => false,
            "true" => true,
            _ => throw ApiError.InvalidValue(name, $"'{name}' must be true or false.").AsException(),
        };
}
