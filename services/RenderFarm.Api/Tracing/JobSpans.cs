using System.Diagnostics;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Tracing;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Tracing;

/// <summary>The API's part in the trace of a video. A span is null where nobody wants any.</summary>
internal static class JobSpans
{
    private static readonly ActivitySource Source = new(FarmTraces.ApiSource);

    /// <summary>A video is taken: all else of it hangs from here.</summary>
    public static Activity? Enqueue() => Source.StartActivity("enqueue", ActivityKind.Producer);

    /// <summary>A message of the queue door.</summary>
    /// <param name="traceParent">Of whoever sent it; null where he said none.</param>
    public static Activity? Intake(string queue, string? messageId, string? traceParent) =>
        Source.StartActivity(
            $"{queue} process",
            ActivityKind.Consumer,
            FarmTraces.ContextOf(traceParent),
            [
                new("messaging.system", "rabbitmq"),
                new("messaging.destination.name", queue),
                new("messaging.operation.type", "process"),
                new("messaging.message.id", messageId),
            ]
        );

    /// <summary>
    /// A lease is granted. The wait before it is a span that is over as it begins, and the lease links to it: nothing was open while the
    /// job waited.
    /// </summary>
    public static Activity? Lease(LeasedJob job, DateTimeOffset now)
    {
        var parent = FarmTraces.ContextOf(job.TraceParent);
        if (parent == default)
        {
            return null;
        }

        KeyValuePair<string, object?>[] tags =
        [
            new(FarmTraces.VideoId, job.Id),
            new("renderfarm.model", job.Spec.Model),
            new("renderfarm.fence", job.Fence),
            new("renderfarm.attempt", job.Attempt),
        ];
        using var wait = Source.StartActivity(
            "queue",
            ActivityKind.Internal,
            parent,
            tags,
            links: null,
            now - TimeSpan.FromSeconds(Math.Max(0, job.QueuedSeconds))
        );
        wait?.SetEndTime(now.UtcDateTime);
        ActivityLink[] links = wait is null ? [] : [new(wait.Context)];
        return Source.StartActivity("lease", ActivityKind.Internal, parent, tags, links, now);
    }

    /// <summary>A video's files are looked at and its end is recorded, as a part of the worker's report.</summary>
    public static Activity? Completion(string jobId) =>
        Source.StartActivity("complete", ActivityKind.Internal, Activity.Current?.Context ?? default, [new(FarmTraces.VideoId, jobId)]);

    /// <summary>One try to deliver a webhook.</summary>
    public static Activity? Webhook(Delivery delivery, string? traceParent)
    {
        var parent = FarmTraces.ContextOf(traceParent);
        return parent == default
            ? null
            : Source.StartActivity(
                "webhook",
                ActivityKind.Client,
                parent,
                [
                    new(FarmTraces.VideoId, delivery.JobId),
                    new("renderfarm.event", Word.Of(delivery.Type)),
                    new("server.address", delivery.Host),
                    new("http.request.resend_count", delivery.Tries),
                ]
            );
    }
}
