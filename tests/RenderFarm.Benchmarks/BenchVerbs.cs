using System.CommandLine;
using RenderFarm.Benchmarks.Api;
using RenderFarm.Benchmarks.Queue;
using RenderFarm.Benchmarks.WholeFarm;
using RenderFarm.Verbs.Bench;

namespace RenderFarm.Benchmarks;

/// <summary>The benchmarks of the service: declared for the CLI and for this program in RenderFarm.Verbs.</summary>
internal static class BenchVerbs
{
    public static RootCommand Create()
    {
        var (api, queue, leaks, demo, farm) = (new ApiVerb(), new QueueVerb(), new LeaksVerb(), new DemoVerb(), new FarmVerb());
        api.SetAction((parsed, _) => ApiBenchmark.RunAsync(ApiOptions.Of(parsed, api), part => api.Report.Begin(parsed, $"api, {part}")));
        queue.SetAction((parsed, _) => QueueBenchmark.RunAsync(parsed, queue));
        leaks.SetAction((parsed, _) => LeakBenchmark.RunAsync(LeakOptions.Of(parsed, leaks), leaks.Report.Begin(parsed, "leaks")));
        demo.SetAction(
            (parsed, _) =>
                DemoModelBenchmark.RunAsync(
                    parsed.GetRequiredValue(demo.Model),
                    parsed.GetValue(demo.Captions),
                    parsed.GetValue(demo.Pictures),
                    demo.Report.Begin(parsed, "demo")
                )
        );
        farm.SetAction(
            (parsed, _) => WholeFarmBenchmark.RunAsync(WholeFarmOptions.Of(parsed, farm), farm.Report.Begin(parsed, "farm"))
        );
        return new RootCommand("Benchmarks of the service, on real processes") { api, queue, leaks, demo, farm };
    }
}
