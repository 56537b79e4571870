using System.CommandLine;
using RenderFarm.Cli.Errands;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Showing;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>worker</c>: this machine renders for a farm, its own or another's. With an invitation the machine is looked at first, and joins then;
/// started again it needs none. This process becomes the worker, which gets everything by its environment.
/// </summary>
internal static class WorkerVerb
{
    public static Command Create(CommandRunner run, IAnsiConsole console, Func<IReadOnlyList<string>, int> launch)
    {
        var join = new Option<string?>("--join")
        {
            Description = $"The line that ./farm workers invite prints, or - to read it from standard input (else {JoinLine.Variable})",
        };
        var name = new Option<string?>("--name") { Description = "What the worker is called (else Worker__Name, else the machine's name)" };
        var metrics = MetricsPorts.OfWorker("--metrics-port");
        var command = new Command("worker", "Render for a farm on this machine, until Ctrl-C") { join, name, metrics }.WithExamples(
            "worker --join 'https://farm:8080#rfi_…'",
            "worker --join - < invitation",
            "worker"
        );
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                if (Readiness.Missing(parsed, needsFfmpeg: true, Environment.GetEnvironmentVariable) is { } missing)
                {
                    return launch(missing);
                }

                var invitation = await InvitationAsync(parsed.GetValue(join), cancellationToken);
                var home = FarmHome.FromEnvironment().Create();
                RequireAFarm(home, invitation);
                var programs = FarmPrograms.Find();
                Set("Worker__RendererPath", programs.Renderer);
                Set("Worker__DataDirectory", home.Worker);
                if (IsUnset("Models__Directory"))
                {
                    // What a farm renders whose operator has named no other model
                    await DemoModel.EnsureAsync(home, programs, console, cancellationToken);
                    ProcessEnvironment.Set("Models__Directory", home.Models);
                }

                if (parsed.GetValue(metrics) is not null || IsUnset("Metrics__Url"))
                {
                    var port = MetricsPorts.Choose("--metrics-port", parsed.GetValue(metrics), MetricsPorts.Worker, console);
                    ProcessEnvironment.Set("Metrics__Url", FarmSettings.AddressOf(port));
                }

                if (parsed.GetValue(name) is { } called)
                {
                    ProcessEnvironment.Set("Worker__Name", called);
                }

                if (invitation is not null)
                {
                    await RequireSoundAsync(programs, console, cancellationToken);
                    ProcessEnvironment.Set(JoinLine.Variable, invitation);
                }

                var fault = Launcher.Become(programs.Worker, [programs.Worker]);
                throw new FarmException("start_failed", $"could not start {programs.Worker}: {fault}");
            }
        );
        return command;
    }

    /// <summary>What the environment says wins.</summary>
    private static void Set(string variable, string value)
    {
        if (IsUnset(variable))
        {
            ProcessEnvironment.Set(variable, value);
        }
    }

    private static bool IsUnset(string variable) => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));

    private static async Task<string?> InvitationAsync(string? given, CancellationToken cancellationToken)
    {
        var text = given switch
        {
            "-" => await Console.In.ReadLineAsync(cancellationToken),
            null => Environment.GetEnvironmentVariable(JoinLine.Variable),
            _ => given,
        };
        if (string.IsNullOrWhiteSpace(text))
        {
            return given is null
                ? null
                : throw new FarmException(
                    "invalid_option",
                    given == "-" ? "--join: no invitation came on standard input" : $"--join is empty; it has the form {JoinLine.Form}"
                );
        }

        return JoinLine.TryParse(text, out var line)
            ? line.ToString()
            : throw new FarmException("invalid_option", $"--join: that is no invitation; it has the form {JoinLine.Form}");
    }

    private static void RequireAFarm(FarmHome home, string? invitation)
    {
        var data = Environment.GetEnvironmentVariable("Worker__DataDirectory") is { Length: > 0 } named ? named : home.Worker;
        if (
            invitation is null
            && !File.Exists(Path.Combine(data, FarmHome.JoinedFileName))
            && !File.Exists(home.Keys)
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("Worker__ApiKey"))
        )
        {
            throw new FarmException(
                "not_joined",
                "this machine belongs to no farm yet: run ./farm workers invite on the farm's machine, and here ./farm worker --join with "
                    + "the line it prints"
            );
        }
    }

    /// <summary>An invitation is not spent on a machine that can't render.</summary>
    private static async Task RequireSoundAsync(FarmPrograms programs, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var lacks = 0;
        foreach (var (subject, program) in new[] { ("worker", programs.Worker), ("renderer", programs.Renderer) })
        {
            foreach (
                var check in (await ProgramDoctor.AskAsync(subject, program, cancellationToken)).Where(check =>
                    check.Result == HostCheckResult.Lacks
                )
            )
            {
                lacks++;
                console.Say($"LACKS  {check.Subject}: {check.Finding}");
                console.Say($"         → {check.Remedy}");
            }
        }

        if (lacks > 0)
        {
            throw new FarmException("machine_lacks", "this machine can't render yet (see above); the invitation has not been used");
        }
    }
}
