using RenderFarm.Tools.Parity;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>The golden files on the card, in float32: <c>tests/golden</c> of the repository, or RENDERFARM_GOLDEN.</summary>
internal static class ParityPart
{
    public static void Run(FigureReport report)
    {
        var folder = Environment.GetEnvironmentVariable("RENDERFARM_GOLDEN") is { Length: > 0 } named
            ? named
            : Path.Combine("tests", "golden");
        using var lines = new StringWriter();
        var code = ParityRun.Run(folder, "cuda", lines);
        var told = lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var line in told)
        {
            report.Say(line);
        }
        report.Check("golden files in float32", code == VerbProgram.Done, told.LastOrDefault() ?? "nothing was checked");
    }
}
