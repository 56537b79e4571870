using RenderFarm.Rendering.Conditioning;
using RenderFarm.Testing;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Conditioning;

public sealed class PromptCacheTests : IDisposable
{
    private const string Text = "a red ball\nrolls";
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Find_KeptPrompt_IsWhatWasKept()
    {
        using var scope = NewDisposeScope();
        var kept = Encoded(tokens: 7);
        Cache().Keep(Text, kept);

        var found = Cache().Find(Text)!;

        Assert.True(found.Context.equal(kept.Context).all().item<bool>());
        Assert.Equal(kept.Context.shape, found.Context.shape);
        Assert.Equal(3, found.DroppedTokens);
        Assert.Equal(["zyx", "\"quoted\""], found.UnknownWords);
    }

    [Fact]
    public void Find_AnotherPromptOrEncoder_IsNotThere()
    {
        using var scope = NewDisposeScope();
        Cache().Keep(Text, Encoded(2));

        Assert.Null(Cache().Find(Text + " "));
        Assert.Null(Cache("another").Find(Text));
        Assert.Null(new PromptCache(null, "umt5").Find(Text));
    }

    [Theory]
    [InlineData(0)] // The length of the header
    [InlineData(-1)] // The last byte of the context
    public void Find_DamagedFile_IsNotThereAndIsWrittenOver(int at)
    {
        using var scope = NewDisposeScope();
        Cache().Keep(Text, Encoded(2));
        var path = Directory.GetFiles(_folder.Path).Single();
        var bytes = File.ReadAllBytes(path);
        bytes[at < 0 ? bytes.Length + at : at] ^= 0x55;
        File.WriteAllBytes(path, bytes);

        Assert.Null(Cache().Find(Text));
        Cache().Keep(Text, Encoded(2));
        Assert.NotNull(Cache().Find(Text));
    }

    [Fact]
    public void Keep_MoreThanMayBeKept_LetsGoOfWhatWasUsedLongestAgo()
    {
        using var scope = NewDisposeScope();
        var (cache, size) = (Cache(), (int)(PromptCache.MostBytes / 4 / sizeof(float)));
        EncodedPrompt Large() => new(zeros(1, size), 0, []);
        foreach (var (name, age) in new[] { ("first", 3), ("second", 2), ("third", 1) })
        {
            cache.Keep(name, Large());
            var newest = new DirectoryInfo(_folder.Path).GetFiles().MaxBy(file => file.LastWriteTimeUtc)!;
            newest.LastWriteTimeUtc -= TimeSpan.FromHours(age);
        }

        Assert.NotNull(cache.Find("first")); // Used now
        cache.Keep("fourth", Large());

        Assert.Null(cache.Find("second"));
        Assert.All(["first", "third", "fourth"], name => Assert.NotNull(cache.Find(name)));
        Assert.True(new DirectoryInfo(_folder.Path).GetFiles().Sum(file => file.Length) <= PromptCache.MostBytes + 4096);
    }

    public void Dispose() => _folder.Dispose();

    private PromptCache Cache(string encoder = "umt5") => new(_folder.Path, encoder);

    private static EncodedPrompt Encoded(long tokens) => new(randn(tokens, 16), 3, ["zyx", "\"quoted\""]);
}
