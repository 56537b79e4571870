using System.Text.Json.Serialization;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Tests.Words;

public sealed class WordTests
{
    [Fact]
    public void Parse_EveryWord_IsTheMemberItIsOf() =>
        Assert.All(Enum.GetValues<JobState>(), state => Assert.Equal(state, Word.Parse<JobState>(Word.Of(state))));

    [Theory]
    [InlineData("dpm+", "'dpm+' is not one of: unipc, euler, dpm++, distilled; the nearest is 'dpm++'")]
    [InlineData("UniPC", "'UniPC' is not one of: unipc, euler, dpm++, distilled; the nearest is 'unipc'")]
    [InlineData("runge-kutta", "'runge-kutta' is not one of: unipc, euler, dpm++, distilled")]
    public void Parse_NoSuchWord_SaysWhichThereAre(string word, string why) =>
        Assert.Equal(why, Assert.Throws<FormatException>(() => Word.Parse<Sampler>(word)).Message);

    [Fact]
    public void TryParse_NoWordAtAll_IsNoMember()
    {
        Assert.False(Word.TryParse<Sampler>(null, out _));
        Assert.False(Word.TryParse<Sampler>("0", out _));
    }

    [Fact]
    public void Of_NoMember_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Word.Of((Sampler)99));

    [Fact]
    public void Of_AMemberWithoutAWord_NamesIt()
    {
        var nameless = Assert.Throws<TypeInitializationException>(() => Word.Of(Half.Spoken)).InnerException!;

        Assert.Contains("Half.Silent has no word", nameless.Message, StringComparison.Ordinal);
    }

    private enum Half
    {
        [JsonStringEnumMemberName("spoken")] Spoken,
        Silent,
    }
}
