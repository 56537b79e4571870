using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Artifacts.Tests;

public sealed class ObjectKeysTests
{
    [Theory]
    [InlineData(ArtifactKind.Video, "videos/video_1/7/video.mp4", "video/mp4")]
    [InlineData(ArtifactKind.Thumbnail, "videos/video_1/7/thumbnail.webp", "image/webp")]
    [InlineData(ArtifactKind.Spritesheet, "videos/video_1/7/spritesheet.webp", "image/webp")]
    public void For_EachKind_CarriesJobAndFence(ArtifactKind kind, string expected, string contentType)
    {
        var key = ObjectKeys.For(kind, new LeaseId("video_1", 7));

        Assert.Equal(expected, key);
        Assert.Equal(contentType, ObjectKeys.ContentType(kind));
        Assert.True(ObjectKeys.TryParseLease(key, out var lease));
        Assert.Equal(new LeaseId("video_1", 7), lease);
    }

    [Theory]
    [InlineData("inputs/video_1/input_reference")]
    [InlineData("videos/video_1/seven/video.mp4")]
    [InlineData("videos/video_1/-7/video.mp4")]
    [InlineData("videos/video_1/7")]
    [InlineData("videos//7/video.mp4")]
    public void TryParseLease_NoOutputOfALease_IsFalse(string key) => Assert.False(ObjectKeys.TryParseLease(key, out _));

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("ä")]
    public void For_JobIdThatIsNoSegment_Throws(string jobId) =>
        Assert.Throws<ArgumentException>(() => ObjectKeys.For(ArtifactKind.Video, new LeaseId(jobId, 1)));

    [Fact]
    public void Tree_OutsideOfObjectKeys_BuildsNoKey()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "RenderFarm.sln")))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("no folder above this test holds RenderFarm.sln");
        }

        string[] places = [ObjectKeys.Videos, ObjectKeys.Inputs];
        var offenders = new[] { "contracts", "services", "workers" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != "ObjectKeys.cs")
            .Where(file => places.Any(place => File.ReadAllText(file).Contains($"\"{place}", StringComparison.Ordinal)));
        Assert.Empty(offenders);
    }
}
