using System.CommandLine;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>The verbs, and what they have in common: where they print, how they fail.</summary>
public static class FarmCommand
{
    public const int Failure = 1;
    public const int Interrupted = 130;

    /// <summary>A farm needs up to 26 s to hand back its jobs and stop.</summary>
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(29);

    public static Task<int> RunAsync(string[] arguments)
        => Create(AnsiConsole.Console, Console.Error, TimeProvider.System)
            .Parse(arguments)
            .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeToStop });

    public static RootCommand Create(IAnsiConsole console, TextWriter errors, TimeProvider time)
    {
        var run = new CommandRunner(errors);
        var root = new RootCommand("RenderFarm: prompts in, MP4s out")
        {
            DemoCommand.Create(run, console, time),
            UpCommand.Create(run, console, time),
            KeysCommand.Create(run, console),
            ModelsCommand.Create(run, console),
            PlanCommand.Create(run, console),
            DoctorCommand.Create(run, console),
        };
        foreach (var verb in VideoCommands.Create(run, console, time))
            root.Add(verb);
        return root;
    }
}

/// <summary>Runs a verb and turns its endings into exit codes.</summary>
public sealed class CommandRunner(TextWriter errors)
{
    public void Run(Command command, Func<ParseResult, CancellationToken, Task<int>> verb)
        => command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                return await verb(parsed, cancellation);
            }
            catch (FarmException error)
            {
                await errors.WriteLineAsync($"error: {error.Code}{(error.Param is { } param ? $" ({param})" : "")}: {error.Message}");
                if (error.Log is { } log)
                    await errors.WriteLineAsync($"log: {log}");
                return FarmCommand.Failure;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return FarmCommand.Interrupted;
            }
        });
}
