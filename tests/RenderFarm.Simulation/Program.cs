using System.CommandLine;
using RenderFarm.Simulation.Trials;
using RenderFarm.Verbs;
using RenderFarm.Verbs.Parsing;

var verb = new SimulateVerb();
verb.SetAction((parsed, cancellationToken) => Simulate.RunAsync(parsed, verb, cancellationToken));
return await VerbProgram.RunAsync(new RootCommand("Simulates a farm") { verb }, args, Console.Error);
