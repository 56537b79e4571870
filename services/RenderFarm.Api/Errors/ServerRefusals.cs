using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RenderFarm.Api.Errors;

/// <summary>
/// Requests that the server refuses before there is one (a broken request line, too many headers) never reach
/// <see cref="ErrorMiddleware"/>, and the server answers them without a body. It tells of each beforehand; the
/// connection's <see cref="RefusalPipe"/> then puts the body that every refusal has into that answer.
/// </summary>
internal sealed class ServerRefusals : IObserver<KeyValuePair<string, object?>>
{
    private const string BadRequest = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public static void Listen(IServiceProvider services) =>
        services.GetRequiredService<DiagnosticListener>().Subscribe(new ServerRefusals(), name => name == BadRequest);

    public static void Attach(ListenOptions listen) =>
        listen.Use(next =>
            connection =>
            {
                var pipe = new RefusalPipe(connection.Transport);
                connection.Features.Set(pipe);
                connection.Transport = pipe;
                return next(connection);
            }
        );

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (
            value is { Key: BadRequest, Value: IFeatureCollection features }
            && features.Get<IBadRequestExceptionFeature>()?.Error is Microsoft.AspNetCore.Http.BadHttpRequestException refused
            && features.Get<IHttpResponseFeature>() is { HasStarted: false }
            && features.Get<RefusalPipe>() is { } pipe
        )
        {
            var id = features.Get<IHttpRequestIdentifierFeature>()?.TraceIdentifier ?? "";
            var error = ApiError.Malformed($"The request could not be read: {refused.Message}") with { Status = refused.StatusCode };
            pipe.Refuse(JsonSerializer.SerializeToUtf8Bytes(ErrorBody.Of(error, id), ErrorWriter.Json), "req_" + id);
        }
    }

    public void OnCompleted() { }

    public void OnError(Exception error) { }
}
