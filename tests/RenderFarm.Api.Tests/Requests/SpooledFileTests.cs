using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Tests.Requests;

public sealed class SpooledFileTests
{
    /// <summary>A full disk is not what is wrong with a form, a link or a batch, and its path is nobody's to see.</summary>
    [Fact]
    public async Task Write_DiskIsFull_IsAnOutageOfOurs()
    {
        using var source = new FaultyStream(Full());

        var fault = await Assert.ThrowsAsync<LocalDiskException>(() =>
            SpooledFile.WriteAsync(source, long.MaxValue, TestContext.Current.CancellationToken)
        );

        foreach (var refusal in new[] { Refusals.Of(fault, default), Refusals.Of(Full(), default) })
        {
            Assert.Equal((503, "unavailable"), (refusal.Status, refusal.Code));
            Assert.NotNull(refusal.RetryAfter);
            Assert.DoesNotContain("/", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Write_SenderBreaksOff_IsTheSendersFault()
    {
        using var source = new FaultyStream(new IOException("Unexpected end of stream"));

        await Assert.ThrowsAsync<IOException>(() =>
            SpooledFile.WriteAsync(source, long.MaxValue, TestContext.Current.CancellationToken)
        );
    }

    /// <summary>What the system says of a disk that has no byte left.</summary>
    private static IOException Full() => Assert.Throws<IOException>(() => File.WriteAllBytes("/dev/full", new byte[1]));

    private sealed class FaultyStream(IOException fault) : ForwardStream
    {
        public override int Read(Span<byte> buffer) => throw fault;
    }
}
