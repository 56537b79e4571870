using System.Globalization;

namespace RenderFarm.Wan.Loras;

/// <summary>What the user should know of one LoRA; each thing once, however many tensors it is true of.</summary>
internal sealed class LoraNotes(string name)
{
    private readonly List<string> _notes = [];
    private readonly Dictionary<string, List<string>> _tensors = new(StringComparer.Ordinal);

    public void Add(string note)
    {
        if (!_notes.Contains(note))
        {
            _notes.Add(note);
        }
    }

    /// <param name="what">Reads behind a number of tensors: <c>have no place in this model</c>.</param>
    public void Of(string what, string tensor)
    {
        if (!_tensors.TryGetValue(what, out var list))
        {
            _tensors.Add(what, list = []);
        }

        list.Add(tensor);
    }

    public int Count(string what) => _tensors.GetValueOrDefault(what)?.Count ?? 0;

    public string? First(string what) => _tensors.GetValueOrDefault(what)?[0];

    public IEnumerable<string> All =>
        _tensors
            .Select(pair =>
                string.Create(CultureInfo.InvariantCulture, $"{pair.Value.Count} of its tensors {pair.Key} ")
                + $"({string.Join(", ", pair.Value.Take(3))}{(pair.Value.Count > 3 ? ", …" : "")})"
            )
            .Concat(_notes)
            .Select(note => $"LoRA '{name}': {note}");
}
