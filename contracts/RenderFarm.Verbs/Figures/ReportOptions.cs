using System.CommandLine;

namespace RenderFarm.Verbs.Figures;

/// <summary>Where a measurement goes besides the terminal; the same for every measuring verb.</summary>
public sealed class ReportOptions
{
    private readonly Option<bool> _json = new("--json")
    {
        Description = "The report as JSON on standard output, lines for people on standard error",
    };
    private readonly Option<string?> _file = new("--report") { Description = "Write the report to this file", HelpName = "FILE" };
    private readonly Option<string?> _folder = new("--results")
    {
        Description =
            "Write the report into this folder, under the benchmark's name (what is kept: tests/RenderFarm.Benchmarks/results)",
        HelpName = "DIR",
    };

    public void AddTo(Command command)
    {
        command.Add(_json);
        command.Add(_file);
        command.Add(_folder);
    }

    /// <param name="parsed">The command line.</param>
    /// <param name="benchmark">Names the report, and its file in a folder: <c>queue, rate</c> is <c>queue-rate.json</c>.</param>
    public FigureReport Begin(ParseResult parsed, string benchmark)
    {
        List<string> files = [];
        if (parsed.GetValue(_file) is { } file)
        {
            files.Add(Path.GetFullPath(file));
        }
        if (parsed.GetValue(_folder) is { } folder)
        {
            files.Add(
                Path.Combine(Path.GetFullPath(folder), $"{benchmark.Replace(", ", "-", StringComparison.Ordinal).Replace(' ', '-')}.json")
            );
        }
        return new FigureReport(benchmark, parsed.GetValue(_json), files);
    }
}
