using RenderFarm.Contracts.Leases;
using RenderFarm.Rendering.Pipelines;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Pipelines;

public sealed class FrameWriterTests : IDisposable
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

        Write(frames);

        Assert.Equal([127, 127, 127, 127, 127, 127], _written[0]);
        Assert.Equal([255, 0, 127, 127, 127, 254], _written[1]);
        Assert.Equal(2, _writer.Written);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void WriteNext_NotFinite_WritesNothing(float value)
    {
        using var frames = zeros([1, 3, 1, 2, 2]);
        frames[0, 1, 0, 1, 1] = value;
        _writer.Begin(frames);

        Assert.False(_writer.WriteNext());

        Assert.Empty(_written);
        Assert.Equal(0, _writer.Written);
    }

    [Fact]
    public void StartOver_SomeFramesWritten_GoesOnAfterThem()
    {
        using var black = full([1, 3, 2, 1, 1], -1f);
        using var broken = full([1, 3, 1, 1, 1], float.NaN);
        using var white = full([1, 3, 3, 1, 1], 1f);
        Write(black);
        _writer.Begin(broken);
        _writer.Begin(black); // Under way when the broken one is found
        Assert.False(_writer.WriteNext());

        _writer.StartOver();
        Write(white);

        Assert.Equal([[0, 0, 0], [0, 0, 0], [255, 255, 255]], _written);
        Assert.Equal((3, 0), (_writer.Written, _writer.UnderWay));
    }

    [Fact]
    public void Conclude_OneColourThroughout_IsSaid()
    {
        using var frames = full([1, 3, 4, 2, 2], 0f);
        Write(frames);

        Assert.Equal("every frame is one flat colour", _writer.Conclude());
    }

    [Fact]
    public void Conclude_BlackThroughout_IsInvalidOutput()
    {
        using var frames = full([1, 3, 4, 2, 2], -1f);
        Write(frames);

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

        Write(flat);
        Write(picture);

        Assert.Null(_writer.Conclude());
    }

    [Fact]
    public void Write_Frames_LeavesNoTensorsBehind()
    {
        using var frames = zeros([1, 3, 4, 2, 2]);
        using var scope = NewDisposeScope();

        Write(frames);

        Assert.Equal(0, scope.DisposablesCount);
    }

    [Fact]
    public void WriteNext_TwoChunksBegun_ComeInTheirOrder()
    {
        using var first = full([1, 3, 1, 1, 1], -1f);
        using var second = full([1, 3, 2, 1, 1], 1f);

        _writer.Begin(first);
        _writer.Begin(second);
        Assert.Empty(_written);
        Assert.True(_writer.WriteNext());
        Assert.Equal([[0, 0, 0]], _written);
        Assert.True(_writer.WriteNext());

        Assert.Equal([[0, 0, 0], [255, 255, 255], [255, 255, 255]], _written);
        Assert.Equal(0, _writer.UnderWay);
    }

    [Fact]
    public void Begin_ChunkStillUnderWayInEachPlace_IsRefused()
    {
        using var frames = zeros([1, 3, 1, 1, 1]);
        _writer.Begin(frames);
        _writer.Begin(frames);

        Assert.Throws<InvalidOperationException>(() => _writer.Begin(frames));
    }

    public void Dispose() => _writer.Dispose();

    private void Write(Tensor frames)
    {
        _writer.Begin(frames);
        Assert.True(_writer.WriteNext());
    }

    private sealed class Sink(List<byte[]> written) : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) => written.Add(rgb24.ToArray());
    }
}
