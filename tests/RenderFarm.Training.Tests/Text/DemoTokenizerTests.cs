using RenderFarm.Planning.Models;
using RenderFarm.Training.Text;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Training.Tests.Text;

public sealed class DemoTokenizerTests
{
    private readonly DemoTokenizer _tokenizer = new();

    [Fact]
    public void Ids_WordsOfTheVocabulary_AreOnePieceEach()
    {
        Assert.Equal(10, _tokenizer.Ids("a red ball rolls to the right on green", 64).Count);
        Assert.All(Phrases.Vocabulary, word => Assert.Equal(2, _tokenizer.Ids(word, 64).Count));
    }

    [Fact]
    public void Ids_OtherWordsAndScripts_AreSpeltAndFit()
    {
        Assert.True(_tokenizer.Ids("zebra", 64).Count > 3);
        Assert.Equal(64, _tokenizer.Ids(new string('鼠', 100), 64).Count);
        Assert.Single(_tokenizer.Ids("", 64));
    }

    [Fact]
    public void Model_Vocabulary_FitsTheEncodersTable() =>
        Assert.InRange(_tokenizer.Model.Pieces.Count, 300, ModelShapes.Demo.TextEncoder.Vocabulary);

    [Fact]
    public void Capitals_EveryOne_IsTheSameWordInOtherLetters()
    {
        var pieces = _tokenizer.Model.Pieces;
        Assert.All(
            _tokenizer.Capitals(),
            pair =>
            {
                Assert.NotEqual(pieces[pair.Piece].Text, pieces[pair.Like].Text);
                Assert.Equal(pieces[pair.Piece].Text.ToLowerInvariant(), pieces[pair.Like].Text);
            }
        );
        Assert.Equal(PieceType.Normal, pieces[_tokenizer.Capitals()[0].Piece].Type);
    }
}
