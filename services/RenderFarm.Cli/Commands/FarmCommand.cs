using System.CommandLine;
using RenderFarm.Cli.Errands;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs, and what they have in common: where they print, how they fail.</summary>
internal static class FarmCommand
{
    /// <summary>A farm needs up to 26 s to hand back its jobs and stop.</summary>
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(29);

    public static Task<int> RunAsync(string[] arguments) =>
        VerbProgram.RunAsync(
            Create(AnsiConsole.Console, Console.Error, TimeProvider.System),
            SecretWords.Open(arguments, Console.Error),
            Console.Error,
            new InvocationConfiguration { ProcessTerminationTimeout = TimeToStop }
        );

    /// <param name="console">Where verbs print.</param>
    /// <param name="errors">Where they say what went wrong.</param>
    /// <param name="time">Their clock.</param>
    /// <param name="launch">Does an errand; absent: this process becomes it.</param>
    public static RootCommand Create(
        IAnsiConsole console,
        TextWriter errors,
        TimeProvider time,
        Func<IReadOnlyList<string>, int>? launch = null
    )
    {
        launch ??= Launcher.Run;
        var run = new CommandRunner(errors);
        var errands = new ErrandVerbs(run, launch);
        var root = new RootCommand(
            "RenderFarm: prompts in, MP4s out. Exit codes: 0 done, 1 failed, 2 wrong options or refused, 3 no farm or a busy one, 130 "
                + "Ctrl-C (the video goes on)"
        )
        {
            DemoCommand.Create(run, console, time, launch),
            UpCommand.Create(run, console, time, launch),
            WorkerVerb.Create(run, console, launch),
            ModelsCommand.Create(run, console, time, errands),
            PlanCommand.Create(run, console, time),
            DoctorCommand.Create(run, console, launch),
        };
        root.HelpName = "./farm";
        IEnumerable<Command> verbs =
        [
            .. VideoCommands.Create(run, console, time),
            .. BatchCommand.Create(run, console, time),
            .. WorkerCommands.Create(run, console, time),
            QueueCommand.Create(run, console, time),
            KeysCommand.Create(run, console, time),
            PageCommand.Create(run, console, time),
            ArtifactsCommand.Create(run, console, time),
            .. LoginCommand.Create(run, console, time),
            .. errands.Create(),
            CompletionCommand.Create(run, console),
        ];
        foreach (var verb in verbs)
        {
            root.Add(verb);
        }

        VerbExamples.AddTo(root);
        return root.WithExamples(
            "demo \"a red ball rolls to the right on green\"",
            "up",
            "render \"a red ball rolls to the right on green\" --out ball.mp4",
            "render --help"
        );
    }
}
