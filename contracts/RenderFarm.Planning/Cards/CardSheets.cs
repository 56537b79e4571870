using System.Globalization;

namespace RenderFarm.Planning.Cards;

/// <summary>The table of known cards, <c>cards.csv</c>: one line a card, from Volta to Blackwell.</summary>
public static class CardSheets
{
    private static readonly IReadOnlyList<(CardName Name, CardSheet Sheet)> Named =
    [
        .. Read().OrderByDescending(sheet => new CardName(sheet.Name).Length).Select(sheet => (new CardName(sheet.Name), sheet)),
    ];

    public static IReadOnlyList<CardSheet> All { get; } = [.. Named.Select(known => known.Sheet)];

    /// <summary>By the exact name, else the longest that begins it and leaves no word that would make it another card.</summary>
    public static CardSheet? Find(string card)
    {
        var asked = new CardName(card);
        return (Named.FirstOrDefault(known => asked.Is(known.Name)) is (_, { } exact) ? exact : null)
            ?? Named.FirstOrDefault(known => asked.IsKindOf(known.Name)).Sheet;
    }

    private static IEnumerable<CardSheet> Read()
    {
        using var stream = typeof(CardSheets).Assembly.GetManifestResourceStream("cards.csv")!;
        using var reader = new StreamReader(stream);
        reader.ReadLine(); // The heads of the columns
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(',', 9);
            yield return new()
            {
                Name = cells[0],
                Capability = Version.Parse(cells[1]),
                Gibibytes = Number(cells[2])!.Value,
                Bf16 = Number(cells[3]),
                Fp8 = Number(cells[4]),
                Int8 = Number(cells[5]),
                Bandwidth = Number(cells[6])!.Value,
                Bus = Number(cells[7])!.Value,
                Source = cells[8],
            };
        }
    }

    private static double? Number(string cell) => cell.Length == 0 ? null : double.Parse(cell, CultureInfo.InvariantCulture);
}
