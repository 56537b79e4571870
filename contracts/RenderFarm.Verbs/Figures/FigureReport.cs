using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Figures;

/// <summary>What a measurement finds, in one form for all: lines for people as they come, one JSON object for programs.</summary>
/// <param name="json">Print the object on standard output; lines then go to standard error.</param>
/// <param name="files">Where the object is written too.</param>
public sealed class FigureReport(string benchmark, bool json, IReadOnlyList<string> files)
{
    private readonly double _loadBefore = ThisMachine.LoadAverage;
    private readonly JsonArray _figures = [];
    private readonly List<ReportCheck> _checks = [];
    private readonly List<string> _missed = [];

    /// <summary>What else is known of the machine, such as its card.</summary>
    public JsonObject Machine { get; } = new() { ["name"] = ThisMachine.Name };

    /// <summary>Everything that the figures came from.</summary>
    public JsonObject Details { get; } = [];

    public IReadOnlyList<string> Missed => _missed;

    /// <summary>What was said to hold or not, in that order.</summary>
    public IReadOnlyList<ReportCheck> Checks => _checks;

    public void Say(string line) => (json ? Console.Error : Console.Out).WriteLine(line);

    public void Add(Figure figure)
    {
        _figures.Add((JsonNode)figure.ToJson());
        Note(figure.Name, figure.IsMet);
        Say(figure.ToString());
    }

    /// <param name="name">What was measured.</param>
    /// <param name="value">In <paramref name="unit"/>.</param>
    /// <param name="unit">May be empty.</param>
    /// <param name="limit">It must be at most this; null only reports it.</param>
    public void Figure(string name, double value, string unit, double? limit = null) => Add(new Figure(name, value, unit, AtMost: limit));

    /// <summary>Something that holds or does not.</summary>
    public void Check(string name, bool holds, string detail)
    {
        _checks.Add(new ReportCheck(name, holds, detail));
        Note(name, holds);
        Say($"{(holds ? "met   " : "MISSED")}  {name}: {detail}");
    }

    /// <summary>Takes over what an earlier report of the same measurement found, so that this one is of both.</summary>
    /// <exception cref="VerbException">The file is no report.</exception>
    public void GoOnFrom(string file)
    {
        try
        {
            var earlier = JsonNode.Parse(File.ReadAllText(file))!;
            foreach (var figure in earlier["figures"]!.AsArray())
            {
                Add(Figures.Figure.FromJson(figure!));
            }

            foreach (var check in earlier["checks"]!.AsArray())
            {
                Check(check!["name"]!.GetValue<string>(), check["holds"]!.GetValue<bool>(), check["detail"]!.GetValue<string>());
            }
        }
        catch (Exception fault) when (fault is IOException or JsonException or NullReferenceException or InvalidOperationException)
        {
            throw VerbException.Wrong($"{file} is no report to go on from: {fault.Message}");
        }
    }

    /// <summary>Prints and writes the object.</summary>
    /// <returns>The exit code: 1 where a limit was missed.</returns>
    public int Finish()
    {
        var report = new JsonObject
        {
            ["benchmark"] = benchmark,
            ["machine"] = Machine,
            ["load_average_before"] = _loadBefore,
            ["figures"] = _figures,
            ["checks"] = new JsonArray([.. _checks.Select(Json)]),
            ["details"] = Details,
            ["missed"] = new JsonArray([.. _missed.Select(name => (JsonNode)name)]),
        };
        var text = Text(report);
        if (json)
        {
            Console.Out.WriteLine(text);
        }
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text + Environment.NewLine);
        }
        return _missed.Count == 0 ? 0 : 1;
    }

    private static JsonNode Json(ReportCheck check) =>
        new JsonObject
        {
            ["name"] = check.Name,
            ["holds"] = check.Holds,
            ["detail"] = check.Detail,
        };

    private void Note(string name, bool? holds)
    {
        if (holds == false)
        {
            _missed.Add(name);
        }
    }

    private static string Text(JsonObject report)
    {
        using var buffer = new MemoryStream();
        using (
            var writer = new Utf8JsonWriter(
                buffer,
                new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            report.WriteTo(writer);
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
