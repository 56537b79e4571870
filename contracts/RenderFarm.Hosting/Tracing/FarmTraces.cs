using System.Diagnostics;

namespace RenderFarm.Hosting.Tracing;

/// <summary>
/// The one trace of a video, from the request that asked for it to its last webhook, over all processes that have a hand in it. Every span
/// below the request hangs, at any depth, from the one in which the video was taken: its W3C <c>traceparent</c> is kept with the job, so
/// that nothing need stay open while the job waits.
/// </summary>
public static class FarmTraces
{
    public const string ApiSource = "RenderFarm.Api";
    public const string WorkerSource = "RenderFarm.Worker";

    /// <summary>What a span is found by.</summary>
    public const string VideoId = "renderfarm.video.id";

    /// <summary>The W3C header, over HTTP and AMQP alike.</summary>
    public const string Header = "traceparent";

    private static readonly string[] Endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    /// <summary>Somebody has said where spans go. Otherwise none are made.</summary>
    /// <param name="setting">A setting's value by its key.</param>
    public static bool AreWanted(Func<string, string?> setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return Endpoints.Any(endpoint => !string.IsNullOrEmpty(setting(endpoint)));
    }

    /// <summary>The span that a <c>traceparent</c> names; the default one where there is none, or none that can be read.</summary>
    public static ActivityContext ContextOf(string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var context) ? context : default;

    /// <summary>Null where there is none.</summary>
    public static string? IdOf(string? traceParent) =>
        ContextOf(traceParent) is var context && context == default ? null : context.TraceId.ToString();

    /// <summary>Whoever answers goes on with what is going on here.</summary>
    public static void Continue(HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (Activity.Current?.Id is { } here)
        {
            request.Headers.Add(Header, here);
        }
    }

    /// <summary>What is going on now; where nothing is, as in a process that makes no spans, a name that others can go on with.</summary>
    public static string Here() => Activity.Current?.Id ?? $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00";
}
