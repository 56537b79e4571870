using System.Globalization;
using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Videos;

/// <summary>
/// What a request says about being sent again: its own key, the count that some SDKs add to their retries, or, of an SDK
/// that adds nothing, the boundary of its form: drawn anew for each request, and the same in all tries of one.
/// </summary>
/// <param name="IsClientRetry">It may be a repeat: an equal request of the last minutes is the same one.</param>
/// <param name="Boundary">Where it tells requests apart; null elsewhere.</param>
internal sealed record RepeatMarks(string? IdempotencyKey, bool IsClientRetry, string? Boundary = null)
{
    private const string DotNetClient = "OpenAI/";
    private const int MaxKeyLength = 255;

    public static RepeatMarks Of(HttpRequest request)
    {
        var key = request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxKeyLength)
        {
            throw ApiError
                .InvalidValue("Idempotency-Key", $"The header Idempotency-Key is longer than {MaxKeyLength} characters.")
                .AsException();
        }

        var retries = request.Headers["X-Stainless-Retry-Count"].ToString();
        var boundary = key.Length == 0 ? BoundaryOf(request) : null;
        return new RepeatMarks(
            key.Length > 0 ? key : null,
            boundary is not null || (int.TryParse(retries, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0),
            boundary
        );
    }

    /// <summary>Only what is drawn at random counts: others use the same boundary for everything they send.</summary>
    private static string? BoundaryOf(HttpRequest request) =>
        request.Headers.UserAgent.ToString().StartsWith(DotNetClient, StringComparison.Ordinal)
        && MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && Guid.TryParse(HeaderUtilities.RemoveQuotes(type.Boundary).Value, out var drawn)
            ? drawn.ToString("N")
            : null;
}
