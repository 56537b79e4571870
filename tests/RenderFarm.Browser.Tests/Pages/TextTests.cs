using System.Text.RegularExpressions;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Dashboard.Texts;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>Every language has every sentence, with the same places for numbers, and the page asks for none that isn't there.</summary>
public sealed partial class TextTests
{
    [Fact]
    public void Languages_HaveTheSameSentencesWithTheSamePlaces()
    {
        var english = PageTexts.In("en");
        foreach (var language in PageTexts.Languages)
        {
            var other = PageTexts.In(language);
            Assert.Equal(english.Names.Order(StringComparer.Ordinal), other.Names.Order(StringComparer.Ordinal));
            foreach (var name in english.Names)
            {
                Assert.True(Places(english[name]).SetEquals(Places(other[name])), $"{language}: {name}");
            }
        }
    }

    [Fact]
    public void Sentences_ThatThePageNames_AreThere_AndNoOthers()
    {
        var folder = Path.Combine(BuiltPrograms.Root, "services", "RenderFarm.Dashboard");
        var sources = Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".razor" or ".cs" or ".js" && !file.Contains("/obj/", StringComparison.Ordinal))
            .ToDictionary(file => file, File.ReadAllText);
        var texts = PageTexts.In("en");
        var names = texts.Names.ToHashSet(StringComparer.Ordinal);
        var named = sources
            .SelectMany(source =>
                (source.Key.EndsWith(".js", StringComparison.Ordinal) ? InScripts() : InComponents())
                    .Matches(source.Value)
                    .Select(match =>
                        source.Key.EndsWith(".js", StringComparison.Ordinal) ? "js." + match.Groups[1].Value : match.Groups[1].Value
                    )
            )
            .Where(name => !name.EndsWith('.'))
            .ToHashSet(StringComparer.Ordinal);

        // Families are named by what comes before the dot: "help." + Name, Word("stage", …)
        var families = sources
            .Values.SelectMany(source => Families().Matches(source))
            .Select(match => match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value + ".")
            .Append("js.stage.")
            .Append("stage.")
            .ToHashSet(StringComparer.Ordinal);
        Assert.Empty(named.Except(names));
        Assert.DoesNotContain(names, name => !families.Any(family => name.StartsWith(family, StringComparison.Ordinal)) && !IsNamed(name));

        // Sentences are chosen among too: any place that has the name in quotation marks counts
        bool IsNamed(string name) =>
            sources.Any(source =>
                source.Value.Contains(
                    source.Key.EndsWith(".js", StringComparison.Ordinal) && name.StartsWith("js.", StringComparison.Ordinal)
                        ? $"\"{name["js.".Length..]}\""
                        : $"\"{name}\"",
                    StringComparison.Ordinal
                )
            );
    }

    /// <summary>Sentences that are chosen by a word of the wire: a new word needs a new sentence.</summary>
    [Fact]
    public void WordsOfTheWire_HaveTheirSentenceInEveryLanguage()
    {
        IEnumerable<string> names =
        [
            .. Enum.GetValues<WorkerStatus>().Select(status => "farm.status." + Word.Of(status)),
            .. Enum.GetValues<QuarantineSource>().Select(source => "farm.quarantine." + Word.Of(source)),
        ];
        foreach (var language in PageTexts.Languages)
        {
            Assert.Empty(names.Except(PageTexts.In(language).Names));
        }
    }

    [Theory]
    [InlineData("zh-CN,zh;q=0.9,en;q=0.8", "zh")]
    [InlineData("de-DE,de;q=0.9", "en")]
    [InlineData("en;q=0.5,zh;q=0.7", "zh")]
    [InlineData("zh;q=0,en", "en")]
    [InlineData("", "en")]
    [InlineData("*;;,q=", "en")]
    public void For_TheHeader_IsTheBestThatIsThere(string header, string language) =>
        Assert.Equal(language, PageTexts.For(header).Language);

    [Theory]
    [InlineData(0.4, "a moment")]
    [InlineData(42, "about 42 s")]
    [InlineData(240, "about 4 min")]
    [InlineData(7_200, "about 2 h")]
    [InlineData(400_000, "about 5 days")]
    public void About_IsAsPeopleSayIt(double seconds, string said) => Assert.Equal(said, PageTexts.In("en").About(seconds));

    [Theory]
    [InlineData(512, "512 B")]
    [InlineData(7_860_000_000, "7.3 GiB")]
    [InlineData(25_769_803_776, "24 GiB")]
    [InlineData(1_073_000_000, "1 GiB")]
    public void Bytes_HaveOneToThreeDigits(double bytes, string said) => Assert.Equal(said, Saying.Bytes(bytes));

    private static HashSet<string> Places(string text) => [.. PlacesInText().Matches(text).Select(match => match.Value)];

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex PlacesInText();

    [GeneratedRegex(@"(?:\bT\(|exts\[)""([a-z_.0-9]+)""")]
    private static partial Regex InComponents();

    [GeneratedRegex(@"""((?:[a-z_]+\.)+)""|\bWord\(""([a-z_]+)""")]
    private static partial Regex Families();

    [GeneratedRegex(@"\bsay\(""([a-z_]+)""")]
    private static partial Regex InScripts();
}
