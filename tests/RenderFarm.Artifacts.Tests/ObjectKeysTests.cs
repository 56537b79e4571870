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
        var key = ObjectKeys.For(kind, "video_1", 7);

        Assert.Equal(expected, key);
        Assert.Equal(contentType, ObjectKeys.ContentType(kind));
        Assert.True(ObjectKeys.TryParseLease(key, out var job, out var fence));
        Assert.Equal(("video_1", 7L), (job, fence));
    }

    [Theory]
    [InlineData("inputs/video_1/input_reference")]
    [InlineData("videos/video_1/seven/video.mp4")]
    [InlineData("videos/video_1/-7/video.mp4")]
    [InlineData("videos/video_1/7")]
    [InlineData("videos//7/video.mp4")]
    public void TryParseLease_NoOutputOfALease_IsFalse(string key) => Assert.False(ObjectKeys.TryParseLease(key, out _, out _));

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("ä")]
    public void For_JobIdThatIsNoSegment_Throws(string jobId) =>
        Assert.Throws<ArgumentException>(() => ObjectKeys.For(ArtifactKind.Video, jobId, 1));
}
