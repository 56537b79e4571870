using RenderFarm.Benchmarks;

return args switch
{
    ["create", .. var rest] => await CreateBenchmark.RunAsync(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("RenderFarm.Benchmarks create [--rate PER_SECOND] [--seconds N]     (./farm bench api …)");
    return 2;
}
