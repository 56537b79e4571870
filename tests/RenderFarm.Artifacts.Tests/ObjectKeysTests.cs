using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Artifacts.Tests;

public sealed class ObjectKeysTests
{
    [Theory]
    [InlineData(ArtifactKind.Video, "videos/video_1/7-0a1b2c3d4e5f/video.mp4", "video/mp4")]
    [InlineData(ArtifactKind.Thumbnail, "videos/video_1/7-0a1b2c3d4e5f/thumbnail.webp", "image/webp")]
    [InlineData(ArtifactKind.Spritesheet, "videos/video_1/7-0a1b2c3d4e5f/spritesheet.webp", "image/webp")]
    public void For_EachKind_CarriesJobFenceAndDigest(ArtifactKind kind, string expected, string contentType)
    {
        var key = ObjectKeys.For(kind, new LeaseName("video_1", 7, "0a1b2c3d4e5f"));

        Assert.Equal(expected, key);
        Assert.Equal(contentType, UploadKinds.ContentType(UploadKinds.Of(kind)));
        Assert.True(ObjectKeys.TryParseLease(key, out var lease));
        Assert.Equal(new LeaseName("video_1", 7, "0a1b2c3d4e5f"), lease);
    }

    [Fact]
    public void For_EachUpload_IsTheArtifactsKey_AndACheckpointIsNamedByItsContent()
    {
        var lease = new LeaseName("video_1", 7, "0a1b2c3d4e5f");
        var sha256 = new string('a', 16) + new string('b', 48);

        Assert.All(
            Enum.GetValues<ArtifactKind>(),
            kind => Assert.Equal(ObjectKeys.For(kind, lease), ObjectKeys.For(UploadKinds.Of(kind), lease, sha256))
        );
        var checkpoint = ObjectKeys.For(UploadKind.Checkpoint, lease, sha256);
        Assert.Equal("videos/video_1/7-0a1b2c3d4e5f/checkpoint-aaaaaaaaaaaaaaaa", checkpoint);
        Assert.True(ObjectKeys.TryParseLease(checkpoint, out var parsed));
        Assert.Equal(lease, parsed);
    }

    [Theory]
    [InlineData("inputs/video_1/input_reference")]
    [InlineData("videos/video_1/seven/video.mp4")]
    [InlineData("videos/video_1/-7/video.mp4")]
    [InlineData("videos/video_1/7-0a1b2c3d4e5/video.mp4")]
    [InlineData("videos/video_1/7-0A1B2C3D4E5F/video.mp4")]
    [InlineData("videos/video_1/7-0a1b2c3d4e5f-1/video.mp4")]
    [InlineData("videos/video_1/7-/video.mp4")]
    [InlineData("videos/video_1/7")]
    [InlineData("videos//7/video.mp4")]
    public void TryParseLease_NoOutputOfALease_IsFalse(string key) => Assert.False(ObjectKeys.TryParseLease(key, out _));

    [Fact]
    public void TryParseLease_KeyFromBeforeThereWereTokens_IsThatFences()
    {
        Assert.True(ObjectKeys.TryParseLease("videos/video_1/7/video.mp4", out var lease));
        Assert.Equal(new LeaseName("video_1", 7, ""), lease);
        Assert.Equal("videos/video_1/7/", ObjectKeys.Of(lease));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("ä")]
    public void For_JobIdThatIsNoSegment_Throws(string jobId) =>
        Assert.Throws<ArgumentException>(() => ObjectKeys.For(ArtifactKind.Video, new LeaseName(jobId, 1, "0a1b2c3d4e5f")));

    [Fact]
    public void Tree_OutsideOfObjectKeys_BuildsNoKey()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "RenderFarm.sln")))
        {
            root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("no folder above this test holds RenderFarm.sln");
        }

        string[] places = [ObjectKeys.Videos, ObjectKeys.Inputs];
        // These reach no store: with them a path of that form is one of the API
        string[] clients = ["RenderFarm.Cli", "RenderFarm.Dashboard"];
        var offenders = new[] { "contracts", "services", "workers" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != "ObjectKeys.cs")
            .Where(file => !clients.Any(client => file.Contains($"/{client}/", StringComparison.Ordinal)))
            .Where(file => places.Any(place => File.ReadAllText(file).Contains($"\"{place}", StringComparison.Ordinal)));
        Assert.Empty(offenders);
    }
}
