using Microsoft.Net.Http.Headers;
using RenderFarm.Artifacts;

namespace RenderFarm.Api.Videos;

/// <summary>What part of an object a download asks for.</summary>
internal abstract record ContentRange
{
    public sealed record Whole : ContentRange;

    public sealed record Part(long First, long Last) : ContentRange
    {
        public long Length => Last - First + 1;
        public ByteRange Bytes => new(First, Last);
    }

    public sealed record NotSatisfiable : ContentRange;

    /// <summary>
    /// One range is honoured; several, another unit, or an <c>If-Range</c> of another version mean the whole object,
    /// as RFC 9110 allows.
    /// </summary>
    public static ContentRange Of(HttpRequest request, long size, EntityTagHeaderValue etag)
    {
        var headers = request.GetTypedHeaders();
        if (
            headers.Range is not { } range
            || range.Unit != "bytes"
            || range.Ranges.Count != 1
            || (headers.IfRange is { } condition && condition.EntityTag?.Compare(etag, useStrongComparison: true) != true)
        )
        {
            return new Whole();
        }

        var asked = range.Ranges.Single();
        var (first, last) = asked switch
        {
            { From: { } from, To: { } to } => (from, Math.Min(to, size - 1)),
            { From: { } from } => (from, size - 1),
            { To: { } suffix } => (suffix == 0 ? size : Math.Max(0, size - suffix), size - 1),
            _ => (size, size - 1),
        };
        return first <= last ? new Part(first, last) : new NotSatisfiable();
    }
}
