using RenderFarm.Inference.BlockStreaming;

namespace RenderFarm.Rendering.Loading;

/// <summary>
/// Prepared blocks that stay mapped and page-locked between two uses in one process: what was brought near before an order came, or
/// before an expert's turn. Whoever uses them meanwhile owns them too.
/// </summary>
public sealed class HeldBlocks : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PreparedBlocks> _blocks = new(StringComparer.Ordinal);

    /// <summary>Files whose blocks are held.</summary>
    public IReadOnlyCollection<string> Paths
    {
        get
        {
            lock (_gate)
            {
                return [.. _blocks.Keys];
            }
        }
    }

    /// <summary>For one more owner; null where they are not held, or are others than these.</summary>
    public PreparedBlocks? Find(string path, BlockLayout layout, int count)
    {
        lock (_gate)
        {
            return _blocks.TryGetValue(path, out var held) && held.BlockBytes == layout.Bytes && held.Blocks == count
                ? held.Share()
                : null;
        }
    }

    public void Keep(string path, PreparedBlocks blocks)
    {
        lock (_gate)
        {
            if (_blocks.Remove(path, out var before))
            {
                before.Dispose();
            }

            _blocks.Add(path, blocks.Share());
        }
    }

    /// <summary>Of another folder than this: those of another model, which nobody will ask for.</summary>
    public void LetGoBeside(string? folder) => LetGo(path => folder is null || Path.GetDirectoryName(path) != folder);

    /// <summary>Those that nobody else uses give their memory back.</summary>
    public void LetGo() => LetGo(_ => true);

    public void Dispose() => LetGo();

    private void LetGo(Func<string, bool> which)
    {
        lock (_gate)
        {
            foreach (var path in _blocks.Keys.Where(which).ToList())
            {
                _blocks.Remove(path, out var blocks);
                blocks!.Dispose();
            }
        }
    }
}
