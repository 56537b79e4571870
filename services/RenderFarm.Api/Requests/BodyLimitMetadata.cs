using Microsoft.AspNetCore.Http.Metadata;

namespace RenderFarm.Api.Requests;

/// <summary>An endpoint's own body limit; Kestrel enforces it while reading, <see cref="BodyReader"/> before.</summary>
internal sealed record BodyLimitMetadata(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;

internal static class BodyLimitConventions
{
    public static TBuilder WithBodyLimit<TBuilder>(this TBuilder builder, long bytes)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new BodyLimitMetadata(bytes));
}
