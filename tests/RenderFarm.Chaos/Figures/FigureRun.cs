using RenderFarm.Chaos.Farm;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Chaos.Figures;

/// <summary>One fault at a time on a farm that is otherwise well: what each costs, against what it may cost.</summary>
internal sealed class FigureRun(ChaosOptions options, FigureReport report)
{
    public const int Workers = 10;

    private readonly IReadOnlyDictionary<string, Func<FigureFarm, Task<Measured>>> _parts = new Dictionary<
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
        ["worker"] = farm => DeathFigures.WorkersKilledAsync(farm, rounds: 6, atOnce: 5, () => farm.Request(100, slow: true)),
        ["away"] = farm => AwayFigures.AllAsync(farm, options.Away, options.IsStub),
    };

    /// <returns>The exit code: 1 where a figure is not what it must be.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var chaos = await ChaosFarm.StartAsync(options.Home, options.IsStub, Workers, cancellationToken);
        using var burial = new CancellationTokenSource();
        var burying = ProcessTable.BuryAsync(burial.Token);
        report.Say($"{chaos.Workers.Count} workers run; logs in {options.Home}");
        var farm = new FigureFarm(chaos, cancellationToken);
        await farm.CompletedAsync(await farm.SubmitAsync(3));
        report.Machine["shared_by"] =
            $"two APIs, {Workers} workers with {(options.IsStub ? "stub renderers" : "a tiny model")}, PostgreSQL (fsync on), RabbitMQ, S3 "
            + "and the clients";
        foreach (var (name, measure) in _parts.Where(part => options.Part is null || options.Part == part.Key))
        {
            var measured = await measure(farm);
            report.Check(measured.What, measured.Met, measured.Detail);
            report.Details[name] = measured.Values.DeepClone();
        }

        await burial.CancelAsync();
        await burying;
        return report.Finish();
    }
}
