using RenderFarm.Contracts.Leases;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>Turns decoded frames into bytes and hands them on, one at a time; notices what no video should be.</summary>
public sealed class FrameWriter(IFrameSink sink)
{
    private bool _allFlat = true;
    private bool _allBlack = true;

    public int Written { get; private set; }

    /// <summary>After the last frame.</summary>
    /// <returns>What the user should know: every frame is one flat colour.</returns>
    /// <exception cref="RenderException">Every frame is black: no prompt asks for that, broken numbers do.</exception>
    public string? Conclude()
    {
        if (Written == 0 || !_allFlat)
        {
            return null;
        }

        return _allBlack
            ? throw new RenderException(FailureReason.InvalidOutput, "every frame is black; try another precision, or check the checkpoint")
            : "every frame is one flat colour";
    }

    /// <param name="frames">[1, 3, n, H, W] in [−1, 1].</param>
    /// <exception cref="RenderException">NaN or infinities.</exception>
    public void Write(Tensor frames)
    {
        using var scope = NewDisposeScope();
        if (!frames.isfinite().all().item<bool>())
        {
            throw new RenderException(
                FailureReason.InvalidOutput,
                $"frame {Written + 1} holds NaN or infinite pixels; try another precision"
            );
        }

        for (long i = 0; i < frames.shape[2]; i++)
        {
            using var temporaries = NewDisposeScope();
            // As the reference saves: cut off, not rounded
            var pixels = frames.select(2, i).squeeze(0).permute(1, 2, 0).add(1).div_(2).mul_(255).to(ScalarType.Byte).cpu().contiguous();
            var bytes = pixels.bytes;
            _allFlat &= bytes.IndexOfAnyExcept(bytes[0]) < 0;
            _allBlack &= bytes[0] == 0;
            sink.Write(bytes);
            Written++;
        }
    }
}
