using System.Diagnostics;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.WebUtilities;

namespace RenderFarm.Api.Errors;

/// <summary>
/// One body that every client parses: the five members of <c>application/problem+json</c> beside the <c>error</c>
/// object of the OpenAI clients.
/// </summary>
internal sealed record ErrorBody(string Type, string Title, int Status, string Detail, string TraceId, ErrorDetail Error)
{
    public static ErrorBody Of(ApiError error, HttpContext context) =>
        Of(error, Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier);

    public static ErrorBody Of(ApiError error, string traceId) =>
        new(
            $"urn:renderfarm:error:{error.Code}",
            ReasonPhrases.GetReasonPhrase(error.Status),
            error.Status,
            error.Message,
            traceId,
            new ErrorDetail(error.Message, TypeOf(error.Status), error.Param, error.Code) { Lines = error.Lines }
        );

    private static string TypeOf(int status) =>
        status switch
        {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            >= 500 => "server_error",
            _ => "invalid_request_error",
        };
}

/// <summary>Members are written even when null: the SDKs read <c>param</c> and <c>code</c> unconditionally.</summary>
internal sealed record ErrorDetail(string Message, string Type, string? Param, string Code)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LineFault>? Lines { get; init; }
}
