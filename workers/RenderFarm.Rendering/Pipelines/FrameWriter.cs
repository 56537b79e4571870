using RenderFarm.Contracts.Leases;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Turns decoded frames into bytes and hands them on, one at a time; notices what no video should be. Up to two chunks are under way:
/// one is decoded while the one before is handed on.
/// </summary>
public sealed class FrameWriter(IFrameSink sink) : IDisposable
{
    private readonly FramesInFlight[] _places = [new(), new()];
    private int _begun,
        _ended,
        _arrived;
    private bool _allFlat = true;
    private bool _allBlack = true;

    public int Written { get; private set; }

    /// <summary>Chunks that were begun and are not written yet.</summary>
    public int UnderWay => _begun - _ended;

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

    /// <summary>Takes a chunk without waiting for the device.</summary>
    /// <param name="frames">[1, 3, n, H, W] in [−1, 1].</param>
    public void Begin(Tensor frames)
    {
        if (UnderWay == _places.Length)
        {
            throw new InvalidOperationException($"{UnderWay} chunks are under way; one has to be written before the next is begun");
        }

        _places[_begun++ % _places.Length].Start(frames);
    }

    /// <summary>The video comes once more from its start: frames that were written already are not written again.</summary>
    public void StartOver()
    {
        _ended = _begun;
        _arrived = 0;
    }

    /// <summary>Writes the chunk that was begun first.</summary>
    /// <returns>False, with nothing written, where a pixel is no finite number.</returns>
    public bool WriteNext()
    {
        var place = _places[_ended++ % _places.Length];
        var bytes = place.Arrive(out var finite);
        if (!finite)
        {
            return false;
        }

        var size = bytes.Length / place.Frames;
        for (var i = 0; i < place.Frames; i++)
        {
            if (_arrived++ < Written)
            {
                continue;
            }

            var frame = bytes.Slice(i * size, size);
            _allFlat &= frame.IndexOfAnyExcept(frame[0]) < 0;
            _allBlack &= frame[0] == 0;
            sink.Write(frame);
            Written++;
        }

        return true;
    }

    public void Dispose()
    {
        foreach (var place in _places)
        {
            place.Dispose();
        }
    }
}
