using System.Text.Json;
using FsCheck;
using FsCheck.Xunit;
using RenderFarm.Testing;
using RenderFarm.Wan.TextEncoder;

namespace RenderFarm.Wan.Tests.TextEncoder;

public sealed class PromptCleaningTests
{
    /// <summary>
    /// Cases worked out with Python's <c>html</c> and <c>unicodedata</c>: entities, widths, marks in any order, controls, line
    /// breaks.
    /// </summary>
    [Fact]
    public void Clean_ReferenceCases_GivesTheSameText()
    {
        var cases = JsonSerializer.Deserialize<Case[]>(
            File.ReadAllText(GoldenFiles.Path("prompt_cleaning_cases.json")),
            JsonSerializerOptions.Web
        )!;

        Assert.NotEmpty(cases);
        Assert.All(cases, expected => Assert.Equal(expected.Clean, PromptCleaning.Clean(expected.Text)));
    }

    [Theory]
    [InlineData("  A \t cat\n\nwalks ", "A cat walks")]
    [InlineData("“curly” and ‘single’", "\"curly\" and 'single'")]
    [InlineData("色调艳丽，过曝，ＪＰＥＧ", "色调艳丽,过曝,JPEG")]
    [InlineData("ﬁne œuvre", "fine œuvre")]
    [InlineData("cafe\u0301 \u1100\u1161\u11A8", "café 각")]
    [InlineData("&amp;amp;lt;b&gt;", "<b>")]
    [InlineData("P&EACUTE;REZ &copy 2024", "PÉREZ © 2024")]
    [InlineData("<i>&eacute;</i>", "<i>é</i>")]
    [InlineData("\u001b[31mred\u001b[0m\u0007", "red")]
    public void Clean_OnePass_DoesWhatItSays(string prompt, string expected) => Assert.Equal(expected, PromptCleaning.Clean(prompt));

    [Fact] // Attributes can't carry half a character
    public void Clean_LoneSurrogate_BecomesTheReplacementCharacter() =>
        Assert.Equal("\uFFFD 🐱 \uFFFD", PromptCleaning.Clean("\ud83d 🐱 \udc31"));

    [Property(MaxTest = 300)]
    public void Clean_AnyText_LeavesSingleSpacesOnly(NonNull<string> prompt)
    {
        var clean = PromptCleaning.Clean(prompt.Get);

        Assert.DoesNotContain("  ", clean, StringComparison.Ordinal);
        Assert.Equal(clean.Trim(), clean);
    }

    private sealed record Case(string Text, string Clean);
}
