using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Cuda;
using TorchSharp;

namespace RenderFarm.Renderer.Bench;

/// <summary>Figures as they are measured: a line each for people, one JSON object at the end for scripts.</summary>
internal sealed class BenchReport(string part, bool json)
{
    private readonly JsonObject _figures = [];
    private readonly List<string> _missed = [];

    public int Missed => _missed.Count;

    public void Say(string line)
    {
        if (!json)
        {
            Console.Out.WriteLine(line);
        }
        else
        {
            Console.Error.WriteLine(line);
        }
    }

    /// <param name="limit">The figure must be at most this; null only reports it.</param>
    public void Figure(string name, double value, string unit, double? limit = null)
    {
        _figures[name] = value;
        var missed = limit is { } most && !(value <= most);
        if (missed)
        {
            _missed.Add(name);
        }

        var bound = limit is null ? "" : string.Create(CultureInfo.InvariantCulture, $"   {(missed ? "MISSED" : "met")}: ≤ {limit}");
        Say(string.Create(CultureInfo.InvariantCulture, $"{name,-44} {value,10:0.####} {unit}{bound}"));
    }

    public void Check(string name, bool holds, string detail)
    {
        _figures[name] = holds;
        if (!holds)
        {
            _missed.Add(name);
        }

        Say($"{name,-44} {(holds ? "PASS" : "FAIL")} {detail}");
    }

    public void Finish()
    {
        var (major, minor) = CudaDevice.ComputeCapability;
        var machine = new JsonObject
        {
            ["compute_capability"] = $"{major}.{minor}",
            ["cuda_driver"] = CudaDevice.DriverVersion,
            ["total_bytes"] = CudaDevice.Memory.Total,
            ["torchsharp"] = typeof(torch).Assembly.GetName().Version?.ToString(),
        };
        var result = new JsonObject
        {
            ["part"] = part,
            ["machine"] = machine,
            ["figures"] = _figures,
            ["missed"] = new JsonArray([.. _missed.Select(name => (JsonNode)name)]),
        };
        if (!json)
        {
            return;
        }

        using var writer = new Utf8JsonWriter(Console.OpenStandardOutput(), new JsonWriterOptions { Indented = true });
        result.WriteTo(writer);
    }
}
