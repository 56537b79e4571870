using System.Globalization;
using System.Text.Json;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>An alpha and who says it.</summary>
/// <param name="RankStabilised">Divided by the root of the rank in place of the rank.</param>
/// <param name="DeclaredRank">What the same source says that the rank is; the pair itself decides.</param>
internal sealed record StatedAlpha(double Value, bool RankStabilised, string Source, double? DeclaredRank = null)
{
    public double Over(long rank) => Value / (RankStabilised ? Math.Sqrt(rank) : rank);
}

/// <summary>What the header of an adapter file says of the alphas of its pairs, in the order in which it is believed.</summary>
internal sealed class AlphaSources
{
    private const string Diffusers = "lora_adapter_metadata";
    private static readonly string[] FlatAlphas = ["lora_alpha", "network_alpha", "alpha"];

    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly Action<string> _note;
    private readonly Dictionary<string, JsonElement> _adapter = new(StringComparer.Ordinal);
    private readonly string[] _namespaces;

    /// <param name="note">Told of values that are no numbers, once each.</param>
    public AlphaSources(IReadOnlyDictionary<string, string> metadata, Action<string> note)
    {
        (_metadata, _note) = (metadata, note);
        ReadAdapter();
        // transformer.lora_alpha → transformer.
        _namespaces =
        [
            .. _adapter
                .Keys.Concat(metadata.Keys)
                .Where(key =>
                    key.EndsWith(".lora_alpha", StringComparison.Ordinal) || key.EndsWith(".alpha_pattern", StringComparison.Ordinal)
                )
                .Select(key => key[..(key.LastIndexOf('.') + 1)])
                .Distinct()
                .OrderBy(prefix => prefix != "transformer."),
        ];
    }

    /// <summary>All that the header says of a pair; the first one counts.</summary>
    /// <param name="module">As the file names it.</param>
    public IEnumerable<StatedAlpha> For(string module)
    {
        var own = _namespaces.FirstOrDefault(prefix => module.StartsWith(prefix, StringComparison.Ordinal));
        string[] prefixes = own is null ? [.. _namespaces, ""] : [own, ""];
        if (prefixes.Select(prefix => OfAdapter(prefix, module)).FirstOrDefault(alpha => alpha is not null) is { } adapter)
        {
            yield return adapter;
        }

        var flat = prefixes.SelectMany(prefix => FlatAlphas.Select(name => (Key: prefix + name, Rank: prefix + "r")));
        foreach (var (key, rank) in flat)
        {
            if (Flat(key) is { } value)
            {
                yield return new StatedAlpha(value, false, key, Flat(rank));
                break;
            }
        }

        if (Flat("ss_network_alpha") is { } kohya)
        {
            yield return new StatedAlpha(kohya, false, "ss_network_alpha", Flat("ss_network_dim"));
        }
    }

    private void ReadAdapter()
    {
        if (!_metadata.TryGetValue(Diffusers, out var text))
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            foreach (var property in document.RootElement.Clone().EnumerateObject())
            {
                _adapter[property.Name] = property.Value;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            _note($"'{Diffusers}' in its header is no JSON object and counts for nothing");
        }
    }

    private StatedAlpha? OfAdapter(string prefix, string module)
    {
        var pattern = Pattern(prefix + "alpha_pattern", module);
        var alpha = pattern ?? (_adapter.TryGetValue(prefix + "lora_alpha", out var plain) ? Number(plain, prefix + "lora_alpha") : null);
        var stabilised = _adapter.TryGetValue(prefix + "use_rslora", out var asked) && asked.ValueKind == JsonValueKind.True;
        var rank =
            Pattern(prefix + "rank_pattern", module)
            ?? (_adapter.TryGetValue(prefix + "r", out var declared) ? Number(declared, prefix + "r") : null);
        return alpha is { } value ? new StatedAlpha(value, stabilised, Diffusers, rank) : null;
    }

    /// <summary>The number of the longest name that the module has or ends in.</summary>
    private double? Pattern(string key, string module)
    {
        if (!_adapter.TryGetValue(key, out var patterns) || patterns.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var names = (string[])[module, Original(module)];
        return patterns
            .EnumerateObject()
            .Where(pattern => names.Any(name => EndsIn(name, pattern.Name)) || EndsIn(names[1], Original(pattern.Name)))
            .OrderByDescending(pattern => pattern.Name.Length)
            .Select(pattern => Number(pattern.Value, $"{key}.{pattern.Name}"))
            .FirstOrDefault(number => number is not null);
    }

    private static bool EndsIn(string module, string name) =>
        name.Length > 0 && (module == name || module.EndsWith("." + name, StringComparison.Ordinal));

    private static string Original(string module) => OriginalNames.FromDiffusers(module + ".")[..^1];

    private double? Flat(string key) => _metadata.TryGetValue(key, out var text) ? Finite(text, key) : null;

    private double? Number(JsonElement value, string key) =>
        value.ValueKind switch
        {
            JsonValueKind.Number or JsonValueKind.String => Finite(value.ToString(), key),
            _ => Finite(value.ValueKind.ToString(), key),
        };

    private double? Finite(string text, string key)
    {
        if (
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value)
        )
        {
            return value;
        }

        var shown = text.Length > 40 ? text[..40] + "…" : text;
        _note($"'{key}' in its header is '{shown}', which is no finite number: it counts for nothing");
        return null;
    }
}
