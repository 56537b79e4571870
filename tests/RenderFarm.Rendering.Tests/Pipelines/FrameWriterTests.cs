using RenderFarm.Contracts.Leases;
using RenderFarm.Rendering.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Pipelines;

public sealed class FrameWriterTests
{
    private readonly List<byte[]> written = [];
    private readonly FrameWriter writer;

    public FrameWriterTests() => writer = new FrameWriter(new Sink(written));

    [Fact]
    public void Write_TwoFrames_PixelsInRowsOfRgbCutOffNotRounded()
    {
        using var frames = zeros([1, 3, 2, 1, 2]);
        frames[0, 0, 1, 0, 0] = 1f; // red of the first pixel of the second frame
        frames[0, 1, 1, 0, 0] = -1f;
        frames[0, 2, 1, 0, 1] = 0.9999f; // 254.98 is cut to 254

        writer.Write(frames);

        Assert.Equal([127, 127, 127, 127, 127, 127], written[0]);
        Assert.Equal([255, 0, 127, 127, 127, 254], written[1]);
        Assert.Equal(2, writer.Written);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Write_NotFinite_IsInvalidOutput(float value)
    {
        using var frames = zeros([1, 3, 1, 2, 2]);
        frames[0, 1, 0, 1, 1] = value;

        var failure = Assert.Throws<RenderException>(() => writer.Write(frames));

        Assert.Equal(FailureReason.InvalidOutput, failure.Reason);
        Assert.Empty(written);
    }

    [Fact]
    public void Conclude_OneColourThroughout_IsSaid()
    {
        using var frames = full([1, 3, 4, 2, 2], 0f);
        writer.Write(frames);

        Assert.Equal("every frame is one flat colour", writer.Conclude());
    }

    [Fact]
    public void Conclude_BlackThroughout_IsInvalidOutput()
    {
        using var frames = full([1, 3, 4, 2, 2], -1f);
        writer.Write(frames);

        var failure = Assert.Throws<RenderException>(() => writer.Conclude());

        Assert.Equal(FailureReason.InvalidOutput, failure.Reason);
        Assert.Contains("every frame is black", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Conclude_OneFrameHasAPicture_IsNone()
    {
        using var flat = full([1, 3, 1, 2, 2], -1f);
        using var picture = full([1, 3, 1, 2, 2], -1f);
        picture[0, 0, 0, 0, 0] = 1f;

        writer.Write(flat);
        writer.Write(picture);

        Assert.Null(writer.Conclude());
    }

    [Fact]
    public void Write_Frames_LeavesNoTensorsBehind()
    {
        using var frames = zeros([1, 3, 4, 2, 2]);
        using var scope = NewDisposeScope();

        writer.Write(frames);

        Assert.Equal(0, scope.DisposablesCount);
    }

    private sealed class Sink(List<byte[]> written) : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) => written.Add(rgb24.ToArray());
    }
}
