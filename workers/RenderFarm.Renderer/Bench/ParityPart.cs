using RenderFarm.Renderer.Parity;

namespace RenderFarm.Renderer.Bench;

/// <summary>The golden files on the card, in float32: <c>tests/golden</c> of the repository, or RENDERFARM_GOLDEN.</summary>
internal static class ParityPart
{
    public static void Run(BenchReport report)
    {
        var folder = Environment.GetEnvironmentVariable("RENDERFARM_GOLDEN") is { Length: > 0 } named
            ? named
            : Path.Combine("tests", "golden");
        using var lines = new StringWriter();
        var code = ParityCommand.Run([folder, "--device", "cuda"], lines);
        var said = lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var line in said)
        {
            report.Say(line);
        }

        report.Check("golden files in float32", code == ExitCodes.Done, said.LastOrDefault() ?? "nothing was checked");
    }
}
