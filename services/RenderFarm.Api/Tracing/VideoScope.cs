using RenderFarm.Jobs.Intake;

namespace RenderFarm.Api.Tracing;

/// <summary>Whatever is logged on the way of a request about one video names it.</summary>
internal sealed class VideoScope(RequestDelegate next, ILogger<VideoScope> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        using var scope = VideoOf(context) is { } video ? log.BeginScope("{Video}", video) : null;
        await next(context);
    }

    /// <summary>Null where the route names none.</summary>
    public static string? VideoOf(HttpContext context) =>
        (context.GetRouteValue("job") ?? context.GetRouteValue("id")) is string id && JobIds.IsId(id) ? id : null;
}
