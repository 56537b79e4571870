using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Chaos.Farm;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Chaos.Figures;

/// <summary>One fault at a time on a farm that is otherwise well: what each costs, against what it may cost.</summary>
internal sealed class FigureRun(ChaosOptions options, TextWriter output)
{
    public const int Workers = 10;

    private static readonly IReadOnlyDictionary<string, Func<FigureFarm, Task<Measured>>> Parts = new Dictionary<
        string,
        Func<FigureFarm, Task<Measured>>
    >
    {
        ["bells"] = farm => WishFigures.BellsAsync(farm, jobs: 20),
        ["renderer"] = farm => DeathFigures.RenderersKilledAsync(farm, times: 30),
        ["cancel"] = farm => WishFigures.CancelsAsync(farm, times: 20, brokerDown: false),
        ["cancel-no-broker"] = farm => WishFigures.CancelsAsync(farm, times: 20, brokerDown: true),
        ["broker"] = OutageFigures.BrokerAsync,
        ["database"] = farm => OutageFigures.DatabaseAsync(farm, renders: 4),
        ["stop"] = DeathFigures.WorkersStoppedAsync,
        ["worker"] = farm => DeathFigures.WorkersKilledAsync(farm, rounds: 6, atOnce: 5),
    };

    /// <returns>Whether every figure is what it must be.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await using var chaos = await ChaosFarm.StartAsync(options.Home, options.IsStub, Workers, cancellationToken);
        using var burial = new CancellationTokenSource();
        var burying = ProcessTable.BuryAsync(burial.Token);
        output.WriteLine($"{chaos.Workers.Count} workers run; logs in {options.Home}");
        var farm = new FigureFarm(chaos, cancellationToken);
        await farm.CompletedAsync(await farm.SubmitAsync(3));
        var (before, measured) = (ThisMachine.LoadAverage, new List<Measured>());
        foreach (var (name, measure) in Parts.Where(part => options.Part is null || options.Part == part.Key))
        {
            measured.Add(await measure(farm));
            output.WriteLine($"{name,-16} {measured[^1]}");
        }
        var report = new JsonObject
        {
            ["benchmark"] = "faults, one at a time",
            ["machine"] =
                $"{ThisMachine.Name}: two APIs, {Workers} workers with {(options.IsStub ? "stub renderers" : "a tiny model")}, PostgreSQL "
                + "(fsync on), RabbitMQ, S3 and the clients on it together",
            ["load_average_before_and_after"] = new JsonArray(before, ThisMachine.LoadAverage),
            ["figures"] = new JsonArray([.. measured.Select(figure => (JsonNode)figure.ToJson())]),
        };
        if (options.Report is { } file)
        {
            await File.WriteAllTextAsync(
                file,
                report.ToJsonString(
                    new JsonSerializerOptions
                    {
                        WriteIndented = true,
                        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                    }
                ) + Environment.NewLine,
                cancellationToken
            );
        }

        await burial.CancelAsync();
        await burying;
        return measured.TrueForAll(figure => figure.Met);
    }
}
