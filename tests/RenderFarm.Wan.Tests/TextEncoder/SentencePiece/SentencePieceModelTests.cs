using FsCheck;
using FsCheck.Xunit;
using RenderFarm.Testing;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.Tests.TextEncoder.SentencePiece;

public sealed class SentencePieceModelTests
{
    private static readonly byte[] GoldenBytes = File.ReadAllBytes(GoldenFiles.Path("spiece.model"));
    private static readonly SentencePieceTokenizer Golden = new(SentencePieceModelReader.Read(GoldenBytes, "golden"));

    /// <summary>Letters written bytewise and whole: what the small vocabulary can't spell goes through byte pieces.</summary>
    private static readonly SentencePieceTokenizer Small = new(SentencePieceModelWriter.Small(["cat", "a"]));

    [Fact]
    public void Read_GoldenModel_GivesItsSettings()
    {
        var model = SentencePieceModelReader.Read(GoldenBytes, "golden");

        Assert.Equal(1200, model.Pieces.Count);
        Assert.Equal(("nmt_nfkc", 1, 0, 2, true), (model.NormalizerName, model.EndId, model.PadId, model.UnknownId, model.ByteFallback));
        Assert.Equal(new Piece("▁the", -4.568068981170654f), model.Pieces[269]);
    }

    [Fact]
    public void Write_ThenRead_GivesTheSameModelAndTheSameIds()
    {
        var model = SentencePieceModelReader.Read(GoldenBytes, "golden");

        var copy = SentencePieceModelReader.Read(SentencePieceModelWriter.Write(model), "copy");

        Assert.Equal(model.Pieces, copy.Pieces);
        Assert.Equal(model.CharsMap.ToArray(), copy.CharsMap.ToArray());
        Assert.Equal(
            Golden.Encode("ｆｕｌｌ width ① and 画面 🐱"),
            new SentencePieceTokenizer(copy).Encode("ｆｕｌｌ width ① and 画面 🐱")
        );
    }

    [Fact]
    public void Small_Words_AreOneTokenEach() =>
        Assert.Equal(["▁cat", "▁a", "▁", "d", "o", "g"], Small.Tokenize("cat a dog").Select(token => token.Text));

    [Property(MaxTest = 300)]
    public void Encode_AnyText_StaysInTheVocabulary(string? text)
    {
        foreach (var tokenizer in new[] { Golden, Small })
        {
            Assert.All(tokenizer.Encode(text ?? ""), id => Assert.InRange(id, 3, tokenizer.VocabularySize - 1));
        }
    }

    [Property(MaxTest = 300)]
    public void Decode_EncodedText_GivesItBack(NonNull<string> text)
    {
        // Identity rules: only spaces are folded, and what is no text (a lone surrogate) becomes U+FFFD
        var expected = string.Join(
            ' ',
            System
                .Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text.Get.Replace('▁', '_')))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );

        Assert.Equal(expected, Small.Decode(Small.Encode(text.Get.Replace('▁', '_'))));
    }

    /// <summary>Cut short or with a byte changed, a model loads and encodes, or is refused by name; nothing else happens.</summary>
    [Property(MaxTest = 100)]
    public void Read_DamagedModel_LoadsOrIsRefusedByName(PositiveInt place, byte value, bool cut)
    {
        var bytes = GoldenBytes.ToArray();
        var at = place.Get * 7919 % bytes.Length;
        bytes[at] ^= value;
        if (cut)
        {
            bytes = bytes[..at];
        }

        try
        {
            var tokenizer = new SentencePieceTokenizer(SentencePieceModelReader.Read(bytes, "damaged.model"));
            Assert.All(tokenizer.Encode("ﬁne ½ ① Ａｂｃ 画面 🐱"), id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
        }
        catch (SentencePieceFormatException error)
        {
            Assert.True(
                error.Message.Contains("damaged.model", StringComparison.Ordinal)
                    || error.Message.Contains("precompiled_charsmap", StringComparison.Ordinal),
                error.Message
            );
        }
    }

    public static TheoryData<string, SentencePieceModel> Refused =>
        new()
        {
            {
                "it has no pieces",
                new SentencePieceModel { Pieces = [] }
            },
            {
                "0 pieces of type unknown",
                new SentencePieceModel { Pieces = [new("a", 0)] }
            },
            { "piece 1 has no text", With(new Piece("", 0)) },
            { "piece 2 ('a') appears twice", With(new Piece("a", 0), new Piece("a", -1)) },
            { "piece 1 ('a') has the score NaN", With(new Piece("a", float.NaN)) },
            { "piece 1 ('a') has the unknown type 9", With(new Piece("a", 0, (PieceType)9)) },
            { "piece 1 is 600 bytes long", With(new Piece(new string('a', 600), 0)) },
            { "not named <0x00> to <0xFF>", With(new Piece("<0xGG>", 0, PieceType.Byte)) },
            { "byte_fallback needs 256", With(new Piece("a", 0)) with { ByteFallback = true } },
            { "eos_id is 7, but there are 2 pieces", With(new Piece("a", 0)) with { EndId = 7 } },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Read_ModelThatCannotEncode_SaysWhy(string reason, SentencePieceModel model)
    {
        var error = Assert.Throws<SentencePieceFormatException>(() =>
            SentencePieceModelReader.Read(SentencePieceModelWriter.Write(model), "odd.model")
        );

        Assert.Contains("'odd.model'", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_BrokenRules_NamesFileAndField()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("renderfarm-test-").FullName, "rules.model");
        SentencePieceModelWriter.Write(With(new Piece("a", 0)) with { CharsMap = new byte[] { 200, 0, 0, 0, 1, 2, 3 } }, path);

        var error = Assert.Throws<SentencePieceFormatException>(() => SentencePieceTokenizer.Load(path));

        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("normalizer_spec.precompiled_charsmap claims a trie of 200 bytes", error.Message, StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    private static SentencePieceModel With(params Piece[] pieces) =>
        new() { Pieces = [new Piece("<unk>", 0, PieceType.Unknown), .. pieces], EndId = -1 };
}
