using RenderFarm.Benchmarks;
using RenderFarm.Benchmarks.Api;
using RenderFarm.Benchmarks.Queue;

try
{
    return args switch
    {
        ["api", .. var rest] => await ApiBenchmark.RunAsync(rest),
        [BareEndpoint.Verb, var connection, var address] => await BareEndpoint.ServeAsync(connection, address),
        ["demo", .. var rest] => await DemoModelBenchmark.RunAsync(rest),
        ["leaks", .. var rest] => await LeakBenchmark.RunAsync(rest),
        ["queue", .. var rest] => await QueueBenchmark.RunAsync(rest),
        _ => Usage("which benchmark?"),
    };
}
catch (ArgumentException fault)
{
    return Usage(fault.Message);
}

static int Usage(string fault)
{
    Console.Error.WriteLine(
        $"""
        {fault}
        RenderFarm.Benchmarks api --help  (./farm bench api …)
        RenderFarm.Benchmarks queue [--part rate|latency|turns] [--rows N] [--workers N] [--leases N] [--jobs N]
            [--report FILE]  (./farm bench queue …)
        RenderFarm.Benchmarks leaks [--jobs N] [--slots cpu|auto] [--model ID] [--size WxH] [--frames N] [--steps N] [--standby]
            [--report FILE]  (./farm bench leaks …)
        RenderFarm.Benchmarks demo --model FOLDER [--captions N] [--pictures N] [--report FILE]  (./farm bench demo …)
        """
    );
    return 2;
}
