using RenderFarm.Benchmarks.Reporting;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks.Api;

/// <summary>The HTTP door's figures, each against its limit. The load generator runs on the same machine.</summary>
internal static class ApiBenchmark
{
    /// <param name="options">Which parts, and how long.</param>
    /// <param name="begin">The report of a part.</param>
    public static async Task<int> RunAsync(ApiOptions options, Func<string, FigureReport> begin)
    {
        var code = 0;
        foreach (var part in options.Parts)
        {
            var report = begin(part);
            var found = await MeasureAsync(part, options);
            foreach (var figure in found.Figures)
            {
                report.Add(figure);
            }
            report.Details[part] = found.Details;
            code = Math.Max(code, report.Finish());
        }
        return code;
    }

    private static Task<Findings> MeasureAsync(string part, ApiOptions options) =>
        part switch
        {
            "create" => CreatePart.MeasureAsync(options),
            "retrieve" => RetrievePart.MeasureAsync(options),
            "list" => ListPart.MeasureAsync(options),
            "batch" => BatchPart.MeasureAsync(options),
            "bodies" => BodiesPart.MeasureAsync(),
            "renewals" => RenewalsPart.MeasureAsync(),
            "eta" => EtaPart.MeasureAsync(options),
            "webhooks" => WebhookPart.MeasureAsync(options),
            _ => MemoryPart.MeasureAsync(options),
        };
}
