using Microsoft.AspNetCore.Http.Features;

namespace RenderFarm.Api.Errors;

/// <summary>How large a body the server takes of this request: its own limit, or that of the endpoint.</summary>
internal static class EnforcedLimit
{
    public static long BodyLimit(this HttpContext context) =>
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize ?? long.MaxValue;
}
