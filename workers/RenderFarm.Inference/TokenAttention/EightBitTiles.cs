using RenderFarm.Cuda.Aten;
using RenderFarm.Inference.Kernels;
using static TorchSharp.torch;

namespace RenderFarm.Inference.TokenAttention;

/// <summary>Device memory between the kernels that round and the one that attends: q, k and v in eight bits, and their scales.</summary>
internal sealed class EightBitTiles : IDisposable
{
    private readonly long _queryBytes,
        _keyBytes,
        _scales;
    private readonly int _tokens,
        _heads;
    private readonly Tensor _queries,
        _keys,
        _values,
        _floats;

    /// <param name="values">Whether v is rounded too.</param>
    public EightBitTiles(long samples, int tokens, int heads, bool values, Device device)
    {
        (_tokens, _heads) = (tokens, heads);
        QueryBlocks = (tokens + AttentionKernels.QueriesOfABlock - 1) / AttentionKernels.QueriesOfABlock;
        KeyTiles = (tokens + AttentionKernels.KeysOfATile - 1) / AttentionKernels.KeysOfATile;
        _queryBytes = (long)heads * QueryBlocks * AttentionKernels.QueriesOfABlock * AttentionKernels.HeadDim;
        _keyBytes = (long)heads * KeyTiles * AttentionKernels.KeysOfATile * AttentionKernels.HeadDim;
        _scales = ScalesEnd;
        Tensor Bytes(long count) => empty([samples * count], dtype: ScalarType.Byte, device: device).DetachFromDisposeScope();
        _queries = Bytes(_queryBytes);
        _keys = Bytes(_keyBytes);
        _values = Bytes(values ? _keyBytes : 0);
        // the maxima start at zero
        _floats = zeros([samples * _scales], dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
    }

    /// <summary>Of the kernel that attends.</summary>
    public int QueryBlocks { get; }

    /// <summary>Of 64 tokens.</summary>
    public int QueryTiles => QueryBlocks * (AttentionKernels.QueriesOfABlock / AttentionKernels.QueriesOfATile);

    public int KeyTiles { get; }

    /// <summary>Addresses of one sample.</summary>
    public readonly record struct Addresses(
        nint Queries,
        nint Keys,
        nint Values,
        nint QueryScales,
        nint KeyScales,
        nint ValueScales,
        nint ValueMaxima,
        nint KeyMeans,
        nint KeyFactors
    );

    public Addresses Of(int sample)
    {
        nint At(Tensor tensor, long bytes) => AtenOps.DataPointer(tensor) + (nint)(sample * bytes);
        var floats = At(_floats, _scales * sizeof(float));
        nint Float(long index) => floats + (nint)(index * sizeof(float));
        return new Addresses(
            At(_queries, _queryBytes),
            At(_keys, _keyBytes),
            At(_values, _keyBytes),
            Float(QueryScalesAt),
            Float(KeyScalesAt),
            Float(ValueScalesAt),
            Float(ValueMaximaAt),
            Float(KeyMeansAt),
            Float(KeyFactorsAt)
        );
    }

    // Vectors of four are read from the channels' numbers, so these come first, where they are aligned
    private static long ValueScalesAt => 0;

    private long ValueMaximaAt => Channels;

    private long KeyMeansAt => 2 * Channels;

    private long QueryScalesAt => 3 * Channels;

    private long KeyScalesAt => QueryScalesAt + ((long)_heads * _tokens);

    private long KeyFactorsAt => KeyScalesAt + ((long)_heads * KeyTiles);

    private long ScalesEnd => (KeyFactorsAt + _tokens + 3) / 4 * 4;

    private long Channels => (long)_heads * AttentionKernels.HeadDim;

    public void Dispose()
    {
        _queries.Dispose();
        _keys.Dispose();
        _values.Dispose();
        _floats.Dispose();
    }
}
