using System.CommandLine;
using System.CommandLine.Parsing;
using RenderFarm.Cli.Errands;
using RenderFarm.Planning.Models;
using RenderFarm.Verbs;
using RenderFarm.Verbs.Bench;
using RenderFarm.Verbs.Models;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs that other programs run: known here with all their options, started by <c>deploy/scripts/errand.sh</c>.</summary>
internal sealed class ErrandVerbs(CommandRunner run, Func<IReadOnlyList<string>, int> launch)
{
    private static readonly string[] Servers = ["postgres", "rabbitmq", "s3", "prometheus"];
    private static readonly Errand Tools = new("workers/RenderFarm.Tools");
    private static readonly Errand Benchmarks = new("tests/RenderFarm.Benchmarks") { Build = "tests", Skip = 1 };
    private static readonly Errand OnServers = Benchmarks with { Servers = ["postgres", "rabbitmq"] };

    public IEnumerable<Command> Create() => [Test(), Build(), Bench(), Chaos(), Simulate(), Run(new ParityVerb(), Tools), Services()];

    /// <summary>Those of <c>models</c> that need no farm.</summary>
    public IEnumerable<Command> Models()
    {
        var verbs = ModelVerbs.Create();
        verbs.MakeRandom.Preset.CompletionSources.Add(_ =>
            ModelShapes.All.Select(shape => new System.CommandLine.Completions.CompletionItem(shape.Id))
        );
        return verbs.All.Select(verb => Run(verb, Tools));
    }

    private Command Test()
    {
        var filter = new Argument<string[]>("filter")
        {
            Description = "A test class or a part of its name; or options of dotnet test, such as --filter-method '*Name*'",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command(
            "test",
            "Build everything and run all tests on private servers (a quarter of an hour), or the classes named (minutes)"
        )
        {
            filter,
        };
        // Options of dotnet test, which knows them.
        command.TreatUnmatchedTokensAsErrors = false;
        command.WithExamples("test", "test LeaseTests", "test --filter-method '*Submit*'");
        return Run(command, new Errand("deploy/scripts/test.sh") { Build = null, Skip = 1 });
    }

    private Command Build()
    {
        const string Programs = "programs";
        const string Everything = "tests";
        var what = OptionKinds.ChoiceArgument(
            "what",
            "programs: API, worker, renderer, tools and this one; tests: everything, the tests too",
            Programs,
            Everything
        );
        what.DefaultValueFactory = _ => Programs;
        var command = new Command("build", "Build the programs, or everything, where their sources have changed") { what };
        run.Run(
            command,
            (parsed, _) =>
            {
                var errand = new Errand(null) { Build = parsed.GetValue(what) == Everything ? "tests" : "apps" };
                return Task.FromResult(launch(errand.Words([])));
            }
        );
        return command.WithExamples("build", "build tests");
    }

    private Command Bench()
    {
        var bench = new Command("bench", "Measure the service, or the engine on this machine")
        {
            Run(new ApiVerb(), OnServers),
            Run(new QueueVerb(), OnServers),
            Run(new LeaksVerb(), Benchmarks with { NeedsFfmpeg = true }),
            Run(new DemoVerb(), Benchmarks with { NeedsFfmpeg = true }),
            Run(new FarmVerb(), Benchmarks with { NeedsFfmpeg = true }),
            Run(new GpuVerb(), Tools with { NeedsFfmpeg = true }),
            Run(new StepCacheVerb(), Tools),
            Run(new RenderersVerb(), Tools),
            Run(new CalibrateVerb(), new Errand("workers/RenderFarm.Renderer") { Skip = 1 }),
        };
        return bench.WithExamples("bench queue --part rate", "bench gpu --part speed", "bench leaks --jobs 100");
    }

    private Command Chaos() =>
        Run(
            new ChaosVerb(),
            new Errand("tests/RenderFarm.Chaos")
            {
                Build = "tests",
                Skip = 1,
                NeedsFfmpeg = true,
            }
        );

    private Command Simulate() => Run(new SimulateVerb(), new Errand("tests/RenderFarm.Simulation") { Build = "tests" });

    private Command Services()
    {
        var script = new Errand("deploy/scripts/services.sh") { Build = null, Skip = 1 };
        var names = new Argument<string[]>("names")
        {
            Description = "postgres, rabbitmq, s3 or prometheus; absent: the first three",
            Arity = ArgumentArity.ZeroOrMore,
        };
        names.CompletionSources.Add(_ => Servers.Select(server => new System.CommandLine.Completions.CompletionItem(server)));
        names.Validators.Add(RequireServers);
        var durable = new Option<bool>("--durable") { Description = "PostgreSQL keeps fsync and synchronous_commit, for benchmarks" };
        var start = new Command("start", "Start servers on free ports; DIR/env then names them") { Folder(), durable, names };
        var again = new Command("again", "Start one that was killed again, on its port and its data")
        {
            Folder(),
            OptionKinds.ChoiceArgument("name", "Which one", Servers),
            new Option<bool>("--wiped") { Description = "The broker's data is gone" },
        };
        var stop = new Command("stop", "Stop them and remove their data") { Folder() };
        return new Command("services", "Private servers for development, without containers")
        {
            Run(start.WithExamples("services start /tmp/servers", "services start /tmp/servers postgres rabbitmq"), script),
            Run(again.WithExamples("services again /tmp/servers postgres"), script),
            Run(stop.WithExamples("services stop /tmp/servers"), script),
        }.WithExamples("services start /tmp/servers", "services stop /tmp/servers");

        static Argument<string> Folder() => new("dir") { Description = "Where their addresses, logs and process ids are" };
    }

    private static void RequireServers(ArgumentResult result)
    {
        foreach (var token in result.Tokens)
        {
            if (!Servers.Contains(token.Value))
            {
                result.AddError($"names is '{token.Value}': it must be {string.Join(", ", Servers[..^1])} or {Servers[^1]}");
            }
        }
    }

    private Command Run(Command command, Errand errand)
    {
        run.Run(command, (parsed, _) => Task.FromResult(launch(errand.Words(parsed.Tokens.Select(token => token.Value)))));
        return command;
    }
}
