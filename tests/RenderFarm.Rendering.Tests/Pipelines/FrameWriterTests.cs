using RenderFarm.Contracts.Leases;
using RenderFarm.Rendering.Pipelines;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Pipelines;

public sealed class FrameWriterTests
{
    private readonly List<byte[]> _written = [];
    private readonly FrameWriter _writer;

    public FrameWriterTests() => _writer = new FrameWriter(new Sink(_written));

    [Fact]
    public void Write_TwoFrames_PixelsInRowsOfRgbCutOffNotRounded()
    {
        using var frames = zeros([1, 3, 2, 1, 2]);
        frames[0, 0, 1, 0, 0] = 1f; // Red of the first pixel of the second frame
        frames[0, 1, 1, 0, 0] = -1f;
        frames[0, 2, 1, 0, 1] = 0.9999f; // 254.98 is cut to 254

        _writer.Write(frames);

        Assert.Equal([127, 127, 127, 127, 127, 127], _written[0]);
        Assert.Equal([255, 0, 127, 127, 127, 254], _written[1]);
        Assert.Equal(2, _writer.Written);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Write_NotFinite_IsInvalidOutput(float value)
    {
        using var frames = zeros([1, 3, 1, 2, 2]);
        frames[0, 1, 0, 1, 1] = value;

        var failure = Assert.Throws<RenderException>(() => _writer.Write(frames));

        Assert.Equal(FailureReason.InvalidOutput, failure.Reason);
        Assert.Empty(_written);
    }

    [Fact]
    public void Conclude_OneColourThroughout_IsSaid()
    {
        using var frames = full([1, 3, 4, 2, 2], 0f);
        _writer.Write(frames);

        Assert.Equal("every frame is one flat colour", _writer.Conclude());
    }

    [Fact]
    public void Conclude_BlackThroughout_IsInvalidOutput()
    {
        using var frames = full([1, 3, 4, 2, 2], -1f);
        _writer.Write(frames);

        var failure = Assert.Throws<RenderException>(() => _writer.Conclude());

        Assert.Equal(FailureReason.InvalidOutput, failure.Reason);
        Assert.Contains("every frame is black", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Conclude_OneFrameHasAPicture_IsNone()
    {
        using var flat = full([1, 3, 1, 2, 2], -1f);
        using var picture = full([1, 3, 1, 2, 2], -1f);
        picture[0, 0, 0, 0, 0] = 1f;

        _writer.Write(flat);
        _writer.Write(picture);

        Assert.Null(_writer.Conclude());
    }

    [Fact]
    public void Write_Frames_LeavesNoTensorsBehind()
    {
        using var frames = zeros([1, 3, 4, 2, 2]);
        using var scope = NewDisposeScope();

        _writer.Write(frames);

        Assert.Equal(0, scope.DisposablesCount);
    }

    private sealed class Sink(List<byte[]> written) : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) => written.Add(rgb24.ToArray());
    }
}
