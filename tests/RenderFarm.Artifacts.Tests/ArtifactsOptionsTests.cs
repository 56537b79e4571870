using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace RenderFarm.Artifacts.Tests;

public sealed class ArtifactsOptionsTests
{
    [Theory]
    [InlineData("Artifacts:Kind", "tape")]
    [InlineData("Artifacts:Directory", "")]
    public void Resolve_BadDirectorySettings_NamesTheKey(string key, string value) =>
        AssertNamed(
            key,
            new()
            {
                ["Artifacts:Kind"] = "directory",
                ["Artifacts:Directory"] = "/tmp/x",
                [key] = value,
            }
        );

    [Theory]
    [InlineData("Artifacts:Endpoint", "")]
    [InlineData("Artifacts:Endpoint", "127.0.0.1:9000")]
    [InlineData("Artifacts:PublicEndpoint", "http://host/path")]
    [InlineData("Artifacts:WorkerEndpoint", "minio:9000")]
    [InlineData("Artifacts:AccessKey", "")]
    [InlineData("Artifacts:SecretKey", " ")]
    [InlineData("Artifacts:Bucket", "")]
    public void Resolve_BadS3Settings_NamesTheKey(string key, string value) =>
        AssertNamed(
            key,
            new()
            {
                ["Artifacts:Kind"] = "s3",
                ["Artifacts:Endpoint"] = "http://127.0.0.1:9000",
                ["Artifacts:AccessKey"] = "a",
                ["Artifacts:SecretKey"] = "b",
                [key] = value,
            }
        );

    [Fact]
    public void Resolve_Kinds_PicksTheStore()
    {
        Assert.IsType<DirectoryArtifactStore>(Resolve(new() { ["Artifacts:Directory"] = "/tmp/x" }));
        Assert.IsType<S3ArtifactStore>(
            Resolve(
                new()
                {
                    ["Artifacts:Kind"] = "s3",
                    ["Artifacts:Endpoint"] = "http://127.0.0.1:9000",
                    ["Artifacts:AccessKey"] = "a",
                    ["Artifacts:SecretKey"] = "b",
                }
            )
        );
    }

    private static void AssertNamed(string key, Dictionary<string, string?> settings)
    {
        var fault = Assert.Throws<OptionsValidationException>(() => Resolve(settings));
        Assert.Contains(fault.Failures, failure => failure.StartsWith(key, StringComparison.Ordinal));
    }

    private static IArtifactStore Resolve(Dictionary<string, string?> settings)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection().AddArtifacts(configuration).BuildServiceProvider();
        return services.GetRequiredService<IArtifactStore>();
    }
}
