using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Testing;

namespace RenderFarm.Benchmarks.Api;

/// <summary>The HTTP door's figures, each against its limit.</summary>
internal static class ApiBenchmark
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Contains("--help"))
        {
            Console.Out.WriteLine(ApiOptions.Usage);
            return 0;
        }
        var (options, missed) = (ApiOptions.Parse(arguments), 0);
        foreach (var part in options.Parts)
        {
            var load = ThisMachine.LoadAverage;
            var found = await MeasureAsync(part, options);
            foreach (var figure in found.Figures)
            {
                Console.Out.WriteLine(figure);
            }

            missed += found.Figures.Count(figure => !figure.IsMet);
            if (options.Results is not { } folder)
            {
                continue;
            }

            Directory.CreateDirectory(folder);
            var report = new JsonObject
            {
                ["benchmark"] = $"api, {part}",
                ["machine"] = $"{ThisMachine.Name}, load generator on the same machine",
                ["load_average_before"] = load,
                ["figures"] = new JsonArray([.. found.Figures.Select(figure => (JsonNode)figure.ToJson())]),
                ["details"] = found.Details,
            };
            await File.WriteAllTextAsync(Path.Combine(folder, $"api-{part}.json"), report.ToJsonString(Indented) + Environment.NewLine);
        }
        return missed == 0 ? 0 : 1;
    }

    private static Task<Findings> MeasureAsync(string part, ApiOptions options) =>
        part switch
        {
            "create" => CreatePart.MeasureAsync(options),
            "retrieve" => RetrievePart.MeasureAsync(options),
            "list" => ListPart.MeasureAsync(options),
            "batch" => BatchPart.MeasureAsync(options),
            "eta" => EtaPart.MeasureAsync(options),
            _ => MemoryPart.MeasureAsync(options),
        };
}
