using RenderFarm.Benchmarks;
using RenderFarm.Benchmarks.Api;
using RenderFarm.Verbs.Parsing;

// Started by a benchmark: the endpoint that the API is measured against.
if (args is [BareEndpoint.Verb, var connection, var address])
{
    return await BareEndpoint.ServeAsync(connection, address);
}
return await VerbProgram.RunAsync(BenchVerbs.Create(), args, Console.Error);
