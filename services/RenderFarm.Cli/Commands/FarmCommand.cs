using System.CommandLine;
using System.CommandLine.Invocation;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs, and what they have in common: where they print, how they fail.</summary>
public static class FarmCommand
{
    /// <summary>The video has failed, or something on this machine has.</summary>
    public const int Failure = 1;

    /// <summary>What was asked for is wrong: an option, or a request that the farm refuses.</summary>
    public const int Refused = 2;

    /// <summary>No farm answers, or it can't at the moment; the same command may work later.</summary>
    public const int Unavailable = 3;
    public const int Interrupted = 130;

    /// <summary>A farm needs up to 26 s to hand back its jobs and stop.</summary>
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(29);

    public static async Task<int> RunAsync(string[] arguments)
    {
        var parsed = Create(AnsiConsole.Console, Console.Error, TimeProvider.System).Parse(arguments);
        return ExitCode(parsed, await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeToStop }));
    }

    /// <summary>Wrong options are told by <see cref="ParseErrorAction"/>; who asks for help has not left anything out.</summary>
    public static int ExitCode(ParseResult parsed, int code) => parsed.Action is ParseErrorAction ? Refused : code;

    public static RootCommand Create(IAnsiConsole console, TextWriter errors, TimeProvider time)
    {
        var run = new CommandRunner(errors);
        var root = new RootCommand(
            "RenderFarm: prompts in, MP4s out. Exit codes: 0 done, 1 failed, 2 wrong options or refused, 3 no farm or a busy one, 130 "
                + "Ctrl-C (the video goes on)"
        )
        {
            DemoCommand.Create(run, console, time),
            UpCommand.Create(run, console, time),
            ModelsCommand.Create(run, console, time),
            PlanCommand.Create(run, console, time),
            DoctorCommand.Create(run, console),
        };
        root.HelpName = "farm";
        IEnumerable<Command> verbs =
        [
            .. VideoCommands.Create(run, console, time),
            .. BatchCommand.Create(run, console, time),
            .. WorkerCommands.Create(run, console, time),
            KeysCommand.Create(run, console, time),
            .. LoginCommand.Create(run, console, time),
            CompletionCommand.Create(run, console),
        ];
        foreach (var verb in verbs)
        {
            root.Add(verb);
        }

        CommandHelp.AddTo(root);
        return root;
    }
}
