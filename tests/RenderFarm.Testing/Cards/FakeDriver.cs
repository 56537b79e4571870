using System.Globalization;

namespace RenderFarm.Testing.Cards;

/// <summary>A card as the test wants the driver to see it; a null figure is one the card doesn't tell.</summary>
public sealed record FakeCard(string Uuid, string Name, long TotalBytes, long UsedBytes)
{
    public Version? ComputeCapability { get; init; } = new(8, 9);
    public int? Utilization { get; init; } = 0;
    public int? Temperature { get; init; } = 40;
    public double? PowerWatts { get; init; } = 60;
    public double? PowerLimitWatts { get; init; } = 450;

    /// <summary>Process ids with what they hold; null: the driver can't tell.</summary>
    public IReadOnlyDictionary<int, long?> Processes { get; init; } = new Dictionary<int, long?>();
}

/// <summary>A real shared library in the place of the driver's, compiled here, whose cards change as the test says.</summary>
public sealed class FakeDriver : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private FakeDriver() { }

    public string Path => _folder.File("libnvidia-ml.so.1");

    /// <summary>Skips the test where there is no C compiler.</summary>
    public static async Task<FakeDriver> WithAsync(params FakeCard[] cards)
    {
        var driver = new FakeDriver();
        driver.Show(cards);
        using var source = new StreamReader(typeof(FakeDriver).Assembly.GetManifestResourceStream("fake-nvml.c")!);
        await CCompiler.CompileAsync(
            driver.Path,
            await source.ReadToEndAsync(),
            $"-DSTATE=\"{driver.State}\"",
            $"-DEVENTS=\"{driver.Events}\""
        );
        return driver;
    }

    /// <summary>From the next question on.</summary>
    public void Show(params FakeCard[] cards)
    {
        List<string> lines = ["driver 580.65.06"];
        lines.AddRange(
            cards.Select(card =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"card {card.Uuid} {card.Name.Replace(' ', '~')} {card.TotalBytes} {card.UsedBytes} {card.Utilization ?? -1} "
                        + $"{card.Temperature ?? -1} {Milliwatts(card.PowerWatts)} {Milliwatts(card.PowerLimitWatts)} "
                        + $"{card.ComputeCapability?.Major ?? -1} {card.ComputeCapability?.Minor ?? -1}"
                )
            )
        );
        for (var i = 0; i < cards.Length; i++)
        {
            lines.AddRange(
                cards[i]
                    .Processes.Select(process =>
                        string.Create(CultureInfo.InvariantCulture, $"process {i} {process.Key} {process.Value ?? -1}")
                    )
            );
        }

        File.WriteAllLines(State + ".new", lines);
        File.Move(State + ".new", State, overwrite: true);
    }

    /// <summary>As after a fault of the bus: every question fails.</summary>
    public void LoseCards() => File.Delete(State);

    /// <summary>Reports an error of the card with that number, to those who listen by now.</summary>
    public void Report(int card, long xid) => File.AppendAllText(Events, string.Create(CultureInfo.InvariantCulture, $"{card} {xid}\n"));

    public void Dispose() => _folder.Dispose();

    private string Events => _folder.File("events");

    private string State => _folder.File("cards");

    private static long Milliwatts(double? watts) => watts is { } known ? (long)(known * 1000) : -1;
}
