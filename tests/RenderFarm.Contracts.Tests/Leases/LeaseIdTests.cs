using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;

namespace RenderFarm.Contracts.Tests.Leases;

public sealed class LeaseIdTests
{
    [Theory]
    [InlineData("video_01967f3c", 1)]
    [InlineData("a-job-with-dashes", 9_007_199_254_740_993)]
    [InlineData("j", 0)]
    public void Parse_ItsOwnText_GivesTheSameLease(string job, long fence)
    {
        var lease = new LeaseId(job, fence);
        Assert.Equal(lease, LeaseId.Parse(lease.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("video_1")]
    [InlineData("-7")]
    [InlineData("video_1-")]
    [InlineData("video_1-x")]
    [InlineData("video_1-+7")]
    [InlineData("video_1- 7")]
    [InlineData("video_1-99999999999999999999")]
    public void TryParse_AnyOtherText_IsNoLease(string? text)
    {
        Assert.False(LeaseId.TryParse(text, out var lease));
        Assert.Equal(default, lease);
    }

    [Fact]
    public void Parse_AnyOtherText_SaysWhatALeaseLooksLike() =>
        Assert.Contains(
            "a dash and a fence",
            Assert.Throws<FormatException>(() => LeaseId.Parse("video_1")).Message,
            StringComparison.Ordinal
        );
}

public sealed class LeaseReportTests
{
    [Fact]
    public void Under_ALease_GoesOutWithItsFence()
    {
        var lease = new LeaseId("video_1", 7);
        var report = new ReleaseRequest { Reason = "draining" }.Under(lease);
        Assert.Equal(lease, report.LeaseOf("video_1"));

        var wire = JsonSerializer.Serialize(report, ContractsJson.Default.ReleaseRequest);
        Assert.Equal(report, JsonSerializer.Deserialize(wire, ContractsJson.Default.ReleaseRequest));
        Assert.Contains("\"fence\":7", wire, StringComparison.Ordinal);
    }

    [Fact]
    public void Deserialize_WithoutAFence_IsRefused() =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{"reason":"draining"}""", ContractsJson.Default.ReleaseRequest));

    [Fact]
    public void Messages_ThatNameALease_SayItOnceOnTheWire() =>
        Assert.Equal(
            """{"job_id":"video_1","fence":7}""",
            JsonSerializer.Serialize(CancelAttempt.Of(new LeaseId("video_1", 7)), ContractsJson.Default.CancelAttempt)
        );
}
