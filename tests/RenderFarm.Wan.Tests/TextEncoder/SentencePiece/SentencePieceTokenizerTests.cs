using System.Text.Json;
using RenderFarm.Testing;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Tests.TextEncoder.SentencePiece;

public sealed class SentencePieceTokenizerTests
{
    private static readonly SentencePieceTokenizer Golden = SentencePieceTokenizer.Load(GoldenFiles.Path("spiece.model"));

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, ReadCases().Length)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokenize_GoldenCase_GivesTheReferenceIdsAndPieces(int index)
    {
        var expected = ReadCases()[index];

        var tokens = Golden.Tokenize(expected.Text);

        Assert.Equal(expected.Pieces, tokens.Select(token => token.Text));
        Assert.Equal(expected.Ids, tokens.Select(token => token.Id));
    }

    [Fact]
    public void Tokenize_UserDefinedPiece_IsCutOutWholeAndShieldedFromRules()
    {
        var rules = SentencePieceModelReader.Read(GoldenFiles.Path("spiece.model")).CharsMap;
        Piece[] pieces = [new("<unk>", 0, PieceType.Unknown), new("▁", -1), new("1", -1), new("a1", -0.5f)];

        var plain = new SentencePieceTokenizer(new SentencePieceModel { Pieces = pieces, CharsMap = rules });
        var shielded = new SentencePieceTokenizer(
            new SentencePieceModel { Pieces = [.. pieces, new("a①", 0, PieceType.UserDefined)], CharsMap = rules }
        );

        Assert.Equal(["▁", "a1", "1"], Texts(plain, "a①①"));
        Assert.Equal(["▁", "a①", "1"], Texts(shielded, "a①①"));
    }

    [Fact]
    public void Tokenize_LoneSurrogate_IsTheReplacementCharacter() =>
        Assert.Equal(
            ["▁", "<0xEF>", "<0xBF>", "<0xBD>", "s"],
            Texts(new SentencePieceTokenizer(SentencePieceModelWriter.Small([])), "\ud800s")
        );

    [Fact]
    public void Tokenize_UnusedPiece_IsNeverChosen()
    {
        var tokenizer = Tiny([new("▁", -1), new("a", -1), new("b", -1), new("ab", -0.1f, PieceType.Unused)]);

        Assert.Equal(["▁", "a", "b"], Texts(tokenizer, "ab"));
    }

    [Fact]
    public void Tokenize_WithoutByteFallback_MakesOneUnknownOfARun()
    {
        var tokenizer = Tiny([new("▁", -1), new("a", -1)]);

        var tokens = tokenizer.Tokenize("aéüa");

        Assert.Equal(["▁", "a", "éü", "a"], tokens.Select(token => token.Text));
        Assert.Equal(0, tokens[2].Id);
    }

    [Fact]
    public void Tokenize_ControlPieceInText_IsSpelledOut()
    {
        var tokenizer = new SentencePieceTokenizer(SentencePieceModelWriter.Small([]));

        Assert.Equal(["▁", "<", "/", "s", ">"], Texts(tokenizer, "</s>"));
    }

    [Fact]
    public void Tokenize_WordMarkAsSuffix_MarksTheEnd()
    {
        var tokenizer = new SentencePieceTokenizer(
            new SentencePieceModel { Pieces = [new("<unk>", 0, PieceType.Unknown), new("▁", -1), new("a", -1)], WhitespaceAsSuffix = true }
        );

        Assert.Equal(["a", "▁", "a", "▁"], Texts(tokenizer, " a  a "));
    }

    [Fact]
    public void Tokenize_KeptWhitespace_MarksEverySpace()
    {
        var tokenizer = new SentencePieceTokenizer(
            new SentencePieceModel
            {
                Pieces = [new("<unk>", 0, PieceType.Unknown), new("▁", -1), new("a", -1)],
                RemoveExtraWhitespaces = false,
                AddDummyPrefix = false,
            }
        );

        Assert.Equal(["▁", "a", "▁", "▁", "a", "▁"], Texts(tokenizer, " a  a "));
    }

    /// <summary>
    /// Prompts at the API's length limit, in the worst shapes. Memory stands for work here: unlike a clock, it is the same on a
    /// busy machine.
    /// </summary>
    [Theory]
    [InlineData("a")]
    [InlineData(" ")]
    [InlineData("á̂̃")]
    [InlineData("画得不好的")]
    [InlineData("ﷺ")]
    public void Tokenize_LongestPrompt_CostsGrowWithLengthOnly(string unit)
    {
        var half = Allocated(string.Concat(Enumerable.Repeat(unit, 16_000 / unit.Length)));
        var whole = Allocated(string.Concat(Enumerable.Repeat(unit, 32_000 / unit.Length)));

        Assert.InRange(whole, 1, 32_000 * 8_000L);
        Assert.True(whole < 2.5 * half + 100_000, $"{half} bytes for 16,000 characters, {whole} for 32,000");

        static long Allocated(string text)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Golden.Tokenize(text);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Decode_GoldenCases_GivesTheNormalisedText()
    {
        Assert.Equal("fine 1⁄2 1 Abc #", Golden.Decode(Golden.Encode("ﬁne ½ ① Ａｂｃ ＃")));
        Assert.Equal("emoji 🐱🚀 and café", Golden.Decode(Golden.Encode(" emoji  🐱🚀 and café ")));
    }

    private static SentencePieceTokenizer Tiny(Piece[] pieces) =>
        new(new SentencePieceModel { Pieces = [new Piece("<unk>", 0, PieceType.Unknown), .. pieces] });

    private static IEnumerable<string> Texts(SentencePieceTokenizer tokenizer, string text) =>
        tokenizer.Tokenize(text).Select(token => token.Text);

    private static Case[] ReadCases() =>
        JsonSerializer.Deserialize<Case[]>(File.ReadAllText(GoldenFiles.Path("tokenizer_cases.json")), JsonSerializerOptions.Web)!;

    private sealed record Case(string Text, int[] Ids, string[] Pieces);
}
