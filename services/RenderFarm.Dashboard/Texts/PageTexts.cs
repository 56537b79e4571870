using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace RenderFarm.Dashboard.Texts;

/// <summary>Every sentence of the page in one language: <c>en.json</c> and its like beside this file; tests hold them together.</summary>
public sealed class PageTexts
{
    private const string Fallback = "en";
    private static readonly FrozenDictionary<string, PageTexts> All = typeof(PageTexts)
        .Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("Texts/", StringComparison.Ordinal))
        .Select(name => new PageTexts(Path.GetFileNameWithoutExtension(name), Read(name)))
        .ToFrozenDictionary(texts => texts.Language);

    private readonly FrozenDictionary<string, string> _texts;

    private PageTexts(string language, FrozenDictionary<string, string> texts) => (Language, _texts) = (language, texts);

    /// <summary>As <c>lang</c> has it.</summary>
    public string Language { get; }

    public static IEnumerable<string> Languages => All.Keys;

    /// <summary>For tests.</summary>
    internal IEnumerable<string> Names => _texts.Keys;

    public string this[string name] =>
        _texts.TryGetValue(name, out var text) ? text : throw new InvalidOperationException($"Texts/{Language}.json has no '{name}'.");

    /// <summary>With numbers and names in their places.</summary>
    public string this[string name, params object?[] values] => string.Format(CultureInfo.InvariantCulture, this[name], values);

    /// <summary>The text of a word of the wire, or the word itself where nobody has written one.</summary>
    public string Word(string family, string word) => _texts.TryGetValue($"{family}.{word}", out var text) ? text : word.Replace('_', ' ');

    /// <summary>Those that scripts need: <c>js.</c> and what follows, and the stages by their whole names.</summary>
    public IEnumerable<KeyValuePair<string, string>> OfScripts =>
        _texts
            .Where(text => text.Key.StartsWith("js.", StringComparison.Ordinal) || text.Key.StartsWith("stage.", StringComparison.Ordinal))
            .Select(text =>
                KeyValuePair.Create(text.Key.StartsWith("js.", StringComparison.Ordinal) ? text.Key["js.".Length..] : text.Key, text.Value)
            )
            .OrderBy(text => text.Key, StringComparer.Ordinal);

    public static PageTexts In(string language) => All[language];

    /// <param name="acceptLanguage">The header, such as <c>zh-CN,zh;q=0.9,en;q=0.8</c>.</param>
    public static PageTexts For(string acceptLanguage) =>
        acceptLanguage
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(one => one.Split(';', 2, StringSplitOptions.TrimEntries))
            .Select(one => (Tag: one[0].Split('-')[0].ToLowerInvariant(), Weight: WeightOf(one.ElementAtOrDefault(1))))
            .Where(one => one.Weight > 0)
            .OrderByDescending(one => one.Weight)
            .Select(one => All.GetValueOrDefault(one.Tag))
            .FirstOrDefault(texts => texts is not null) ?? All[Fallback];

    private static double WeightOf(string? quality) =>
        quality is null ? 1
        : quality.StartsWith("q=", StringComparison.Ordinal)
        && double.TryParse(quality.AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight)
            ? weight
        : 0;

    private static FrozenDictionary<string, string> Read(string resource)
    {
        using var stream = typeof(PageTexts).Assembly.GetManifestResourceStream(resource)!;
        return JsonSerializer.Deserialize<Dictionary<string, string>>(stream)!.ToFrozenDictionary();
    }
}
