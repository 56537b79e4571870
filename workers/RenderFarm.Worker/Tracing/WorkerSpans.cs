using System.Diagnostics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Tracing;

namespace RenderFarm.Worker.Tracing;

/// <summary>The worker's part in the trace of a video, its renderer's included. A span is null where nobody wants any.</summary>
internal static class WorkerSpans
{
    private static readonly ActivitySource Source = new(FarmTraces.WorkerSource);

    /// <summary>All that this worker does under a lease, up to its report or to the spool.</summary>
    public static Activity? Attempt(LeaseGrant grant, string slot, string worker) =>
        Of(
            "attempt",
            grant.TraceParent,
            [
                new(FarmTraces.VideoId, grant.JobId),
                new("renderfarm.model", grant.Spec.Model),
                new("renderfarm.fence", grant.Fence),
                new("renderfarm.attempt", grant.Attempt),
                new("renderfarm.worker", worker),
                new("renderfarm.slot", slot),
            ]
        );

    /// <summary>A finished video on its way to the store, in this life of the worker or a later one.</summary>
    public static Activity? Upload(string jobId, long fence, string? attempt) =>
        Of("upload", attempt, [new(FarmTraces.VideoId, jobId), new("renderfarm.fence", fence)]);

    /// <summary>A part of the attempt that is going on.</summary>
    public static Activity? Part(string name) =>
        Activity.Current is { } attempt ? Source.StartActivity(name, ActivityKind.Internal, attempt.Context, VideoOf(attempt)) : null;

    /// <summary>The same for one that others see the end of: it is nobody's current one.</summary>
    public static Activity? Aside(Activity? attempt, string name)
    {
        if (attempt is null)
        {
            return null;
        }

        var current = Activity.Current;
        var part = Source.StartActivity(name, ActivityKind.Internal, attempt.Context, VideoOf(attempt));
        Activity.Current = current;
        return part;
    }

    private static KeyValuePair<string, object?>[] VideoOf(Activity attempt) =>
        [new(FarmTraces.VideoId, attempt.GetTagItem(FarmTraces.VideoId))];

    private static Activity? Of(string name, string? parent, KeyValuePair<string, object?>[] tags) =>
        FarmTraces.ContextOf(parent) is var context && context == default
            ? null
            : Source.StartActivity(name, ActivityKind.Internal, context, tags);
}
