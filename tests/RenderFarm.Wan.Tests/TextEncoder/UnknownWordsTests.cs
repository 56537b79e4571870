using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Tests.TextEncoder;

public sealed class UnknownWordsTests
{
    private static readonly SentencePieceTokenizer Tokenizer = new(
        SentencePieceModelWriter.Small(["a", "red", "ball", "rolls", "to", "the", "right", "on", "green"])
    );

    [Theory]
    [InlineData("a red ball rolls to the right on green")]
    [InlineData("a red ball, rolls (to the right) on \"green\".")]
    [InlineData("")]
    [InlineData(" . , ! ")]
    public void Of_KnownWords_FindsNone(string prompt) => Assert.Empty(UnknownWords.Of(prompt, Tokenizer));

    [Theory]
    [InlineData("a cat rolls, cat! to Paris", "cat,Paris")]
    [InlineData("красный шар on green", "красный,шар")]
    [InlineData("赤いボール on green", "赤いボール")]
    [InlineData("a red 🎈 rolls", "🎈")]
    public void Of_WordsThatAreSpelt_NamesEachOnce(string prompt, string words) =>
        Assert.Equal(words.Split(','), UnknownWords.Of(prompt, Tokenizer));

    [Theory]
    [InlineData("a majestic, photorealistic red ball rolls to the right; on green!", "a red ball rolls to the right; on green!")]
    [InlineData("a red ball,  rolls", "a red ball,  rolls")]
    [InlineData("красный шар", "")]
    public void LeftOut_Prompt_IsWhatIsKnown(string prompt, string known) => Assert.Equal(known, UnknownWords.LeftOut(prompt, Tokenizer));

    [Fact]
    public void Of_LargeVocabulary_FindsNone()
    {
        var large = new SentencePieceTokenizer(SentencePieceModelWriter.Small(Enumerable.Range(0, 10_000).Select(i => $"word{i}")));

        Assert.Empty(UnknownWords.Of("a cat plays the piano", large));
        Assert.Equal("a cat plays  the piano", UnknownWords.LeftOut("a cat plays  the piano", large));
    }
}
