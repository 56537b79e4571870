using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RenderFarm.Api.Errors;

/// <summary>Writes an <see cref="ApiError"/> as the response.</summary>
internal static class ErrorWriter
{
    /// <summary><c>traceId</c> keeps the spelling of the problem+json that ASP.NET writes; everything else is one word.</summary>
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Task WriteAsync(HttpContext context, ApiError error)
    {
        var response = context.Response;
        response.StatusCode = error.Status;
        if (error.RetryAfter is { } pause)
        {
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(pause.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        if (error.NeverRetry)
        {
            response.Headers["x-should-retry"] = "false";
        }

        // A refused upload may still be on its way; keeping the connection would mean reading all of it.
        if (error.Status == StatusCodes.Status413PayloadTooLarge && context.Request.Protocol == HttpProtocol.Http11)
        {
            response.Headers.Connection = "close";
        }

        return response.WriteAsJsonAsync(ErrorBody.Of(error, context), Json, "application/problem+json", context.RequestAborted);
    }
}
