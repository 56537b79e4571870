using System.CommandLine;
using System.Globalization;
using RenderFarm.Cli.Errands;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Units;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Folders;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>doctor</c>: what this machine has and lacks, each lack with its remedy. The API, the worker and the renderer look for
/// themselves, with the settings they would run with; this joins what they say. Changes nothing.
/// </summary>
internal static class DoctorCommand
{
    private const double NeededDiskGib = 5;

    public static Command Create(CommandRunner run, IAnsiConsole console, Func<IReadOnlyList<string>, int> launch)
    {
        var json = new Option<bool>("--json") { Description = "A JSON list of checks" };
        var command = new Command("doctor", "Say what this machine has and lacks") { json }.WithExamples("doctor", "doctor --json");
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                if (Readiness.Missing(parsed, needsFfmpeg: false, Environment.GetEnvironmentVariable) is { } missing)
                {
                    return launch(missing);
                }
                var checks = new List<HostCheck>();
                await foreach (var check in ChecksAsync(cancellationToken))
                {
                    checks.Add(check);
                    if (!parsed.GetValue(json))
                    {
                        Show(console, check);
                    }
                }
                if (parsed.GetValue(json))
                {
                    console.Say(DoctorReport.Text(checks));
                }

                return DoctorReport.ExitCode(checks);
            }
        );
        return command;
    }

    private static void Show(IAnsiConsole console, HostCheck check)
    {
        var mark = check.Result switch
        {
            HostCheckResult.Ok => "ok    ",
            HostCheckResult.Lacks => "LACKS ",
            _ => "-     ",
        };
        console.Say($"{mark} {check.Subject}: {check.Finding}");
        if (check.Remedy is { } remedy)
        {
            console.Say($"         → {remedy}");
        }
    }

    private static async IAsyncEnumerable<HostCheck> ChecksAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var home = FarmHome.FromEnvironment();
        var free = Gibibytes.Of(FreeSpace.OfDisks.BytesFor(home.Root));
        yield return free >= NeededDiskGib
            ? HostCheck.Ok("disk", $"{Gib(free)} free for {home.Root}")
            : HostCheck.Lacks(
                "disk",
                $"{Gib(free)} free for {home.Root}",
                $"set {FarmHome.Variable} to a folder with {Gib(NeededDiskGib)} or more"
            );
        yield return LocalPorts.IsFree(8080)
            ? HostCheck.Ok("port 8080", "free")
            : HostCheck.Without("port 8080", "in use: a farm is up, or another program has it", "./farm up --port N chooses another");

        var (programs, missing) = Programs();
        if (programs is null)
        {
            yield return missing!;
            yield break;
        }
        foreach (var (name, program) in new[] { ("api", programs.Api), ("worker", programs.Worker), ("renderer", programs.Renderer) })
        {
            foreach (var check in await ProgramDoctor.AskAsync(name, program, cancellationToken))
            {
                yield return check;
            }
        }
    }

    private static (FarmPrograms?, HostCheck?) Programs()
    {
        try
        {
            return (FarmPrograms.Find(), null);
        }
        catch (FarmException error)
        {
            return (null, HostCheck.Lacks("programs", error.Message, "./farm build"));
        }
    }

    private static string Gib(double value) => value.ToString("0.0 GiB", CultureInfo.InvariantCulture);
}
