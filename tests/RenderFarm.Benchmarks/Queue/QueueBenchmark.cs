using System.CommandLine;
using RenderFarm.Verbs.Bench;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>
/// The queue's own figures, each against its limit: leases a second, submit to lease, and whose turn it is. PostgreSQL (fsync and
/// synchronous_commit on), RabbitMQ and the load are on the same machine.
/// </summary>
internal static class QueueBenchmark
{
    public static async Task<int> RunAsync(ParseResult parsed, QueueVerb verb)
    {
        var part = parsed.GetValue(verb.Part);
        var report = verb.Report.Begin(parsed, part is null ? "queue" : $"queue, {part}");
        foreach (var name in QueueVerb.Parts.Where(name => part is null || part == name))
        {
            var found = name switch
            {
                "turns" => await TurnOfAnother.MeasureAsync(),
                "latency" => await LeaseLatency.MeasureAsync(parsed.GetValue(verb.Jobs)),
                _ => await LeaseRate.MeasureAsync(parsed.GetValue(verb.Rows), parsed.GetValue(verb.Workers), parsed.GetValue(verb.Leases)),
            };
            foreach (var figure in found.Figures)
            {
                report.Add(figure);
            }
            report.Details[name] = found.Details;
        }
        return report.Finish();
    }
}
