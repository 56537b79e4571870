using System.Globalization;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Videos;

/// <summary>What a request says about being sent again: its own key, or the count that the SDKs add to their retries.</summary>
public sealed record RepeatMarks(string? IdempotencyKey, bool IsClientRetry)
{
    private const int MaxKeyLength = 255;

    public static RepeatMarks Of(HttpRequest request)
    {
        var key = request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxKeyLength)
        {
            throw ApiError.InvalidValue("Idempotency-Key", $"The header Idempotency-Key is longer than {MaxKeyLength} characters.").AsException();
        }

        var retries = request.Headers["X-Stainless-Retry-Count"].ToString();
        return new RepeatMarks(
            key.Length > 0 ? key : null,
            int.TryParse(retries, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0);
    }
}
