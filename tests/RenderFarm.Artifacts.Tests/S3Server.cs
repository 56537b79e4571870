using RenderFarm.Hosting.Settings;

namespace RenderFarm.Artifacts.Tests;

/// <summary>The S3 server that the tests were given; without one they are skipped.</summary>
internal static class S3Server
{
    public static ArtifactsOptions Options(Action<ArtifactsOptions>? change = null)
    {
        var address = Environment.GetEnvironmentVariable("RENDERFARM_TEST_S3");
        Assert.SkipWhen(string.IsNullOrEmpty(address), "no S3 server (RENDERFARM_TEST_S3): run ./farm test");
        var uri = new Uri(address!);
        var keys = uri.UserInfo.Split(':');
        var options = new ArtifactsOptions
        {
            Kind = ArtifactsKind.S3,
            Endpoint = uri.GetLeftPart(UriPartial.Authority).Replace(uri.UserInfo + "@", "", StringComparison.Ordinal),
            AccessKey = keys[0],
            SecretKey = keys[1],
            Bucket = "renderfarm-artifacts-tests",
        };
        change?.Invoke(options);
        return options;
    }
}
