using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;

namespace RenderFarm.Contracts.Tests.Leases;

public sealed class LeaseNameTests
{
    private const string Digest = "0a1b2c3d4e5f";

    [Theory]
    [InlineData("video_01967f3c", 1)]
    [InlineData("a-job-with-dashes", 9_007_199_254_740_993)]
    [InlineData("j", 0)]
    public void Parse_ItsOwnText_GivesTheSameLease(string job, long fence)
    {
        var lease = new LeaseName(job, fence, Digest);
        Assert.Equal(lease, LeaseName.Parse(lease.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("video_1")]
    [InlineData("video_1-7")]
    [InlineData("-7-0a1b2c3d4e5f")]
    [InlineData("video_1--0a1b2c3d4e5f")]
    [InlineData("video_1-7-")]
    [InlineData("video_1-7-0a1b2c3d4e5")]
    [InlineData("video_1-7-0A1B2C3D4E5F")]
    [InlineData("video_1-x-0a1b2c3d4e5f")]
    [InlineData("video_1-+7-0a1b2c3d4e5f")]
    [InlineData("video_1- 7-0a1b2c3d4e5f")]
    [InlineData("video_1-99999999999999999999-0a1b2c3d4e5f")]
    public void TryParse_AnyOtherText_IsNoLease(string? text)
    {
        Assert.False(LeaseName.TryParse(text, out var lease));
        Assert.Equal(default, lease);
    }

    [Fact]
    public void Parse_AnyOtherText_SaysWhatALeaseLooksLike() =>
        Assert.Contains(
            "a fence and a token's digest",
            Assert.Throws<FormatException>(() => LeaseName.Parse("video_1")).Message,
            StringComparison.Ordinal
        );
}

public sealed class LeaseTokenTests
{
    private const string Secret = "00112233445566778899aabbccddeeff";

    [Fact]
    public void New_ManyTimes_IsNeverTheSame() =>
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => LeaseToken.New().Secret).Distinct().Count());

    [Fact]
    public void Parse_ItsOwnSecret_GivesTheSameToken()
    {
        var token = LeaseToken.New();
        Assert.Equal(token, LeaseToken.Parse(token.Secret));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("00112233445566778899aabbccddeef")]
    [InlineData("00112233445566778899AABBCCDDEEFF")]
    [InlineData("00112233445566778899aabbccddeeff0")]
    public void TryParse_AnyOtherText_IsNoToken(string? text) => Assert.False(LeaseToken.TryParse(text, out _));

    /// <summary>The digest as <c>printf %s SECRET | sha256sum | cut -c1-12</c> has it, for it is in the keys of what is stored.</summary>
    [Fact]
    public void Print_OfTokenAndLease_ShowsTheDigestAndNeverTheSecret()
    {
        var lease = new LeaseId("video_1", 7, LeaseToken.Parse(Secret));
        Assert.Equal("5947d7c33d78", lease.Token.Digest);
        Assert.Equal("video_1-7-5947d7c33d78", $"{lease}");
        Assert.Equal("5947d7c33d78", $"{lease.Token}");
        var report = new ReleaseRequest { Reason = ReleaseReason.Draining }.Under(lease);
        Assert.DoesNotContain(Secret, report.ToString(), StringComparison.Ordinal);
        Assert.Equal("", default(LeaseToken).ToString());
    }
}

public sealed class LeaseReportTests
{
    private static readonly LeaseId Lease = new("video_1", 7, LeaseToken.New());

    [Fact]
    public void Under_ALease_GoesOutWithItsFenceAndToken()
    {
        var report = new ReleaseRequest { Reason = ReleaseReason.Draining }.Under(Lease);
        Assert.Equal(Lease, report.About("video_1").Lease);

        var wire = JsonSerializer.Serialize(report, ContractsJson.Default.ReleaseRequest);
        Assert.Equal(report, JsonSerializer.Deserialize(wire, ContractsJson.Default.ReleaseRequest));
        Assert.Contains("\"fence\":7", wire, StringComparison.Ordinal);
        Assert.Contains($"\"token\":\"{Lease.Token.Secret}\"", wire, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"reason":"draining"}""")]
    [InlineData("""{"reason":"draining","fence":7}""")]
    [InlineData("""{"reason":"draining","token":"00112233445566778899aabbccddeeff"}""")]
    [InlineData("""{"reason":"draining","fence":7,"token":null}""")]
    [InlineData("""{"reason":"draining","fence":7,"token":"a guess"}""")]
    public void Deserialize_WithoutAWholeLease_IsRefused(string body) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(body, ContractsJson.Default.ReleaseRequest));

    [Fact]
    public void Messages_ThatNameALease_SayItOnceAndWithoutTheToken() =>
        Assert.Equal(
            $$"""{"job_id":"video_1","fence":7,"digest":"{{Lease.Token.Digest}}"}""",
            JsonSerializer.Serialize(CancelAttempt.Of(Lease.Name), ContractsJson.Default.CancelAttempt)
        );
}
