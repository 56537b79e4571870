using RenderFarm.Contracts.Models;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Vae;

public sealed class TiledEncoderTests
{
    private static readonly VaeShape Shape = new()
    {
        Kind = VaeKind.Wan21,
        Dim = 8,
        DecoderDim = 8,
        LatentChannels = 4,
        LatentMean = [0, 0, 0, 0],
        LatentStd = [1, 1, 1, 1],
    };

    [Fact]
    public void Encode_TileAsLargeAsTheFrame_IsUntiledEncoding()
    {
        using var scope = NewDisposeScope();
        using var vae = SyntheticSource.Build(weights => new WanVae(weights, Shape));
        var video = SyntheticValues.Input("video", 1, 1, 3, 5, 128, 128);

        var tiled = new TiledEncoder(vae.Module, Shape, 16).Encode(5, 128, 128, (start, count) => video.narrow(2, start, count));

        Assert.True(tiled.equal(vae.Module.Encode(video)).all().item<bool>());
    }

    [Fact]
    public void Encode_TwoTiles_IsEachTileAwayFromTheSeamAndAMixOfBothOnIt()
    {
        using var scope = NewDisposeScope();
        using var vae = SyntheticSource.Build(weights => new WanVae(weights, Shape));
        var video = SyntheticValues.Input("video", 1, 1, 3, 5, 128, 192);
        var chunks = 0;

        var tiled = new TiledEncoder(vae.Module, Shape, 16).Encode(
            5,
            128,
            192,
            (start, count) => video.narrow(2, start, count),
            () => chunks++
        );

        Assert.Equal([1, 4, 2, 16, 24], tiled.shape);
        Assert.Equal(2 * 2, chunks);
        var left = vae.Module.Encode(video.narrow(4, 0, 128).contiguous());
        var right = vae.Module.Encode(video.narrow(4, 64, 128).contiguous());
        Assert.True(tiled.narrow(4, 0, 8).equal(left.narrow(4, 0, 8)).all().item<bool>());
        Assert.True(tiled.narrow(4, 16, 8).equal(right.narrow(4, 8, 8)).all().item<bool>());
        var share = (arange(8, dtype: ScalarType.Float32) + 0.5) / 8; // A column's weight grows over the eight that both tiles have
        var mixed = left.narrow(4, 8, 8) * (1 - share) + right.narrow(4, 0, 8) * share;
        Assert.True((tiled.narrow(4, 8, 8) - mixed).abs().max().item<float>() < 1e-5);
    }
}
