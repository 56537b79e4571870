using System.Diagnostics;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Api.Errors;

/// <summary>
/// The outermost layer: gives every response its <c>x-request-id</c>, and every failure the same body, whoever
/// raised it (a handler, the framework, an unknown route).
/// </summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, TimeProvider time, ILogger<ErrorMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers["x-request-id"] = "req_" + (Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier);
        try
        {
            await next(context);
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // Nobody is listening any more.
            return;
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var error = Translate(e, context);
            switch (error.Status)
            {
                case StatusCodes.Status500InternalServerError:
                    LogFailure(e, context.Request.Method, context.Request.Path);
                    break;
                case StatusCodes.Status503ServiceUnavailable:
                    LogAway(context.Request.Method, context.Request.Path, e is IOutage outage ? outage.Cause : e.Message);
                    break;
            }

            await ErrorWriter.WriteAsync(context, error);
            return;
        }

        if (
            !context.Response.HasStarted
            && context.Response.ContentLength is null
            && context.Response.ContentType is null
            && FrameworkRefusal(context) is { } refusal
        )
        {
            await ErrorWriter.WriteAsync(context, refusal);
        }
    }

    private ApiError Translate(Exception exception, HttpContext context) =>
        exception switch
        {
            BadHttpRequestException { StatusCode: 413 } => ApiError.TooLarge(context.BodyLimit()),
            BadHttpRequestException { InnerException: UnknownWordException unknown } => ApiError.UnknownWord(unknown),
            BadHttpRequestException { StatusCode: 415 } => ApiError.UnsupportedMediaType(context.Request.ContentType, Readable(context)),
            BadHttpRequestException bad => BodyFault.Of(bad),
            _ => Refusals.Of(exception, time.GetUtcNow()),
        };

    /// <summary>Routing has put a refusal in the place of the endpoint, and with it went what that reads.</summary>
    private static string Readable(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/v1/videos", StringComparison.Ordinal)
            ? "application/json or multipart/form-data"
            : "application/json";

    private static ApiError? FrameworkRefusal(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "/");
        return context.Response.StatusCode switch
        {
            404 => ApiError.NoRoute(method, path),
            405 => ApiError.MethodNotAllowed(method, context.Response.Headers.Allow.ToString()),
            413 => ApiError.TooLarge(context.BodyLimit()),
            415 => ApiError.UnsupportedMediaType(context.Request.ContentType, Readable(context)),
            400 => ApiError.Malformed("The request could not be read."),
            _ => null,
        };
    }

    [LoggerMessage(EventId = 201, Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private partial void LogFailure(Exception exception, string method, string path);

    [LoggerMessage(EventId = 202, Level = LogLevel.Warning, Message = "{Method} {Path} answered 503: {Cause}")]
    private partial void LogAway(string method, string path, string cause);
}
