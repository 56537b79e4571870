using RenderFarm.Testing;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Tests.TextEncoder;

public sealed class PromptTokensTests
{
    private static readonly SentencePieceTokenizer Tokenizer = SentencePieceTokenizer.Load(GoldenFiles.Path("spiece.model"));

    [Fact]
    public void From_Prompt_CleansItAndEndsIt()
    {
        var tokens = PromptTokens.From("A  cat&nbsp;walks", Tokenizer);

        Assert.Equal([.. Tokenizer.Encode("A cat walks").Select(id => (long)id), 1L], tokens.Ids);
        Assert.Equal(0, tokens.Dropped);
    }

    [Fact]
    public void From_EmptyPrompt_IsTheEndPieceAlone() => Assert.Equal([1L], PromptTokens.From(" ", Tokenizer).Ids);

    [Fact]
    public void From_LongPrompt_KeepsTheEndPieceAtTheLimit()
    {
        var prompt = string.Concat(Enumerable.Repeat("cat ", 2000));
        var whole = Tokenizer.Encode(prompt.Trim());

        var tokens = PromptTokens.From(prompt, Tokenizer);

        Assert.Equal(512, tokens.Ids.Count);
        Assert.Equal(1, tokens.Ids[^1]);
        Assert.Equal(whole.Take(511).Select(id => (long)id), tokens.Ids.Take(511));
        Assert.Equal(whole.Count - 511, tokens.Dropped);
    }

    [Fact]
    public void From_ModelWithoutEndPiece_IsRefused()
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModelWriter.Small([]) with { EndId = -1 });

        Assert.Contains(
            "eos_id",
            Assert.Throws<SentencePieceFormatException>(() => PromptTokens.From("a", tokenizer)).Message,
            StringComparison.Ordinal
        );
    }
}
