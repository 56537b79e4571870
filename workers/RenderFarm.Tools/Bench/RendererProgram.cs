using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools.Bench;

/// <summary>The renderer of this build: beside this program, in the next folder, or in the same tree and configuration.</summary>
internal static class RendererProgram
{
    private const string Name = "RenderFarm.Renderer";

    public static string File { get; } =
        Candidates().FirstOrDefault(System.IO.File.Exists)
        ?? throw new VerbException($"{Name} is not built (looked at {string.Join(", ", Candidates())}): ./farm build");

    /// <summary>The kernels against what defines them, by the renderer's own verb.</summary>
    /// <returns>Its exit code, or that of the report.</returns>
    public static int SelfTest(FigureReport report)
    {
        using var renderer = Start(["selftest"]);
        while (renderer.StandardOutput.ReadLine() is { } line)
        {
            report.Say(line);
        }
        renderer.WaitForExit();
        if (renderer.ExitCode == VerbProgram.Wrong)
        {
            return VerbProgram.Wrong;
        }
        report.Check("self test", renderer.ExitCode == VerbProgram.Done, $"the renderer ended with code {renderer.ExitCode}");
        return report.Finish();
    }

    /// <summary>What the card reaches, measured by the renderer's own verb.</summary>
    public static CardCalibration Calibrate()
    {
        var folder = Directory.CreateTempSubdirectory("farm-rates-").FullName;
        try
        {
            using var renderer = Start(["calibrate", "--device", "cuda", "--into", folder, "--json"]);
            var answer = renderer.StandardOutput.ReadToEnd();
            renderer.WaitForExit();
            return renderer.ExitCode == 0
                ? JsonSerializer.Deserialize(answer, ContractsJson.Default.CardCalibration)!
                : throw new VerbException($"{File} calibrate ended with code {renderer.ExitCode}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <param name="arguments">The verb and what belongs to it.</param>
    /// <param name="variables">Beside this process's own.</param>
    public static Process Start(IEnumerable<string> arguments, params ReadOnlySpan<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo(File, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in variables)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static IEnumerable<string> Candidates()
    {
        var here = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        yield return Path.Combine(here, Name);
        yield return Path.Combine(here, "..", "renderer", Name);

        // …/workers/RenderFarm.Tools/bin/Release/net10.0, or the same depth under tests/
        var framework = Path.GetFileName(here);
        var configuration = Path.GetFileName(Path.GetDirectoryName(here) ?? "");
        yield return Path.GetFullPath(
            Path.Combine(here, "..", "..", "..", "..", "..", "workers", Name, "bin", configuration, framework, Name)
        );
    }
}
