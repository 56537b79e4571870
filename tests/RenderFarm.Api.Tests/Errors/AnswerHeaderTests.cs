using System.Text.RegularExpressions;

namespace RenderFarm.Api.Tests.Errors;

/// <summary>What every answer tells a browser.</summary>
public sealed partial class AnswerHeaderTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;

    [Theory]
    [InlineData("/v1/videos")]
    [InlineData("/v1/videos/none")]
    [InlineData("/no/such/thing")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/metrics")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/v1/batches?limit=no")]
    public async Task AnyAnswer_IsNotToBeSniffedFramedOrRun(string path)
    {
        var reply = await _farm.User.GetAsync(path);

        Assert.Equal("nosniff", reply.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            reply.Headers.GetValues("Content-Security-Policy").Single()
        );
    }

    [Fact]
    public async Task Page_ItsScripts_CarryANonceOfTheirRequest()
    {
        var (first, second) = (await PageAsync(), await PageAsync());

        Assert.NotEqual(first, second);
    }

    private async Task<string> PageAsync()
    {
        var reply = await _farm.User.GetAsync("/scalar/v1");
        var policy = reply.Headers.GetValues("Content-Security-Policy").Single();
        var nonce = NonceOf().Match(policy).Groups[1].Value;
        var page = await reply.Content.ReadAsStringAsync();

        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("script-src 'unsafe", policy, StringComparison.Ordinal);
        var scripts = Scripts().Matches(page);
        Assert.NotEmpty(scripts);
        Assert.All(scripts, script => Assert.Contains($"nonce=\"{nonce}\"", script.Value, StringComparison.Ordinal));
        return nonce;
    }

    [GeneratedRegex("script-src 'nonce-([^']+)'")]
    private static partial Regex NonceOf();

    [GeneratedRegex("<script[^>]*>")]
    private static partial Regex Scripts();
}
