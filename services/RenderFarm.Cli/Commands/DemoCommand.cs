using System.CommandLine;
using System.Globalization;
using RenderFarm.Cli.Errands;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Hosting.Folders;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>
/// <c>demo</c>: a whole farm for one clip. It has a home of its own under the usual one, so it never meets a farm that
/// is up; only the models are shared.
/// </summary>
internal static class DemoCommand
{
    private const string DefaultPrompt = "a red ball rolls to the right on green";
    private const string Model = "demo";

    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time, Func<IReadOnlyList<string>, int> launch)
    {
        var prompt = new Argument<string>("prompt") { Description = "What to show", DefaultValueFactory = _ => DefaultPrompt };
        // A misspelt option is an argument to the parser; it would be rendered.
        prompt.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var word }] && word.StartsWith("--", StringComparison.Ordinal))
            {
                result.AddError($"'{word}' is not an option; see ./farm demo --help. A prompt can't begin with two dashes.");
            }
        });
        var output = DownloadCommand.File();
        var force = DownloadCommand.Force();
        var video = new VideoOptions();
        var command = new Command("demo", "Start the embedded farm, render one clip with the small demo model, stop")
        {
            prompt,
            output,
            force,
        }.WithExamples("demo", "demo \"a red ball rolls to the right\" --steps 8 --out ball.mp4");
        video.AddTo(command);
        run.Run(
            command,
            (parsed, cancellationToken) =>
                Readiness.Missing(parsed, needsFfmpeg: true, Environment.GetEnvironmentVariable) is { } missing
                    ? Task.FromResult(launch(missing))
                    : RunAsync(
                        video.Read(parsed, parsed.GetValue(prompt)!, Model),
                        OutputFile.Of(parsed.GetValue(output), "out.mp4", parsed.GetValue(force)),
                        console,
                        time,
                        cancellationToken
                    )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        VideoRequest request,
        OutputFile output,
        IAnsiConsole console,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        output.Require();
        var programs = FarmPrograms.Find();
        var home = FarmHome.FromEnvironment().Create();
        var model = await DemoModel.EnsureAsync(home, programs, console, cancellationToken);
        if (model.Note is { } note)
        {
            console.Say($"Note: {note}");
        }

        var run = DemoRun.Create(home, time);
        var began = time.GetTimestamp();
        var settings = FarmSettings.Embedded(
            run,
            home,
            programs,
            FarmListener.OnLoopback(LocalPorts.Free()),
            LocalPorts.Free(),
            drainSeconds: 0
        );
        await using (var farm = await LocalFarm.StartAsync(programs, settings, run, time, cancellationToken))
        {
            using var client = new FarmClient(settings.ApiUrl, KeysFile.Read(run.Keys).AdminKey, time);
            var submitted = await client.SubmitAsync(request, cancellationToken);
            var finished = await RenderDisplay.RunAsync(console, update => client.WatchAsync(submitted.Id, update, cancellationToken));
            if (finished.Error is { } error)
            {
                throw new FarmException(error.Code, error.Message) { Log = run.Logs };
            }

            await client.DownloadAsync(finished.Id, output, cancellationToken);
            console.Say(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{output.FullPath}  {finished.Size}, {finished.Frames} frames at {finished.Fps} fps, seed {finished.Seed}, "
                        + $"{time.GetElapsedTime(began).TotalSeconds:0.0} s"
                )
            );
            if (finished.Warning is { } warning)
            {
                console.Say($"Warning: {warning}");
            }
        }
        // Only a run that failed leaves its logs behind.
        Directory.Delete(run.Root, recursive: true);
        return 0;
    }
}
