using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace RenderFarm.Training.Stages;

/// <summary>Prints how training goes and keeps it for <c>curves.json</c>.</summary>
internal sealed class Journal(TextWriter output)
{
    private readonly Dictionary<string, List<(int Step, double Seconds, double[] Values)>> _curves = [];
    private readonly Dictionary<string, string[]> _names = [];
    private readonly SortedDictionary<string, double> _facts = new(StringComparer.Ordinal);
    private readonly long _started = Stopwatch.GetTimestamp();

    public void Say(string line) =>
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_started).TotalSeconds,7:0.0} s  {line}")
        );

    /// <summary>One point of a stage's curves.</summary>
    public void Point(string stage, int step, double seconds, params (string Name, double Value)[] values)
    {
        _names.TryAdd(stage, [.. values.Select(v => v.Name)]);
        if (!_curves.TryGetValue(stage, out var points))
        {
            _curves.Add(stage, points = []);
        }

        points.Add((step, seconds, [.. values.Select(v => v.Value)]));
        Say(
            $"{stage} step {step}: "
                + string.Join(", ", values.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Name} {v.Value:0.#####}")))
        );
    }

    /// <summary>A single figure.</summary>
    public void Fact(string name, double value)
    {
        _facts[name] = value;
        Say(string.Create(CultureInfo.InvariantCulture, $"{name}: {value:0.####}"));
    }

    public void Write(string path)
    {
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartObject("facts");
        foreach (var (name, value) in _facts)
        {
            json.WriteNumber(name, Rounded(value));
        }

        json.WriteEndObject();
        foreach (var (stage, points) in _curves)
        {
            json.WriteStartObject(stage);
            Column("step", points.Select(p => (double)p.Step));
            Column("seconds", points.Select(p => p.Seconds));
            for (var i = 0; i < _names[stage].Length; i++)
            {
                Column(_names[stage][i], points.Select(p => p.Values[i]));
            }

            json.WriteEndObject();
        }
        json.WriteEndObject();

        void Column(string name, IEnumerable<double> values)
        {
            json.WritePropertyName(name);
            // A line each, not a line a number
            json.WriteRawValue("[" + string.Join(",", values.Select(v => Rounded(v).ToString("R", CultureInfo.InvariantCulture))) + "]");
        }
    }

    private static double Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 6) : -1;
}
