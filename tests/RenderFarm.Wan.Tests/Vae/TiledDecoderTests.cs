using RenderFarm.Contracts.Models;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Vae;

public sealed class TiledDecoderTests
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
    public void Decode_TileAsLargeAsTheLatent_IsUntiledDecoding()
    {
        using var scope = NewDisposeScope();
        using var vae = SyntheticSource.Build(weights => new WanVae(weights, Shape));
        var latent = SyntheticValues.Input("z", 1.7, 1, 4, 3, 16, 16);

        var tiled = cat(new TiledDecoder(vae.Module, Shape, 16).Decode(latent).ToList(), 2);

        Assert.True(tiled.equal(cat(vae.Module.Decode(latent).ToList(), 2)).all().item<bool>());
    }

    [Fact]
    public void Decode_TwoTiles_IsEachTileAwayFromTheSeamAndAMixOfBothOnIt()
    {
        using var scope = NewDisposeScope();
        using var vae = SyntheticSource.Build(weights => new WanVae(weights, Shape));
        var latent = SyntheticValues.Input("z", 1.7, 1, 4, 2, 16, 24);
        var chunks = 0;

        var parts = new TiledDecoder(vae.Module, Shape, 16).Decode(latent, () => chunks++).ToList();
        var tiled = cat(parts, 2);

        Assert.Equal([1, 4], parts.Select(part => part.shape[2]));
        Assert.Equal([1, 3, 5, 128, 192], tiled.shape);
        Assert.Equal(2 * 2, chunks); // Two tiles of two chunks
        var left = cat(vae.Module.Decode(latent.narrow(4, 0, 16).contiguous()).ToList(), 2);
        var right = cat(vae.Module.Decode(latent.narrow(4, 8, 16).contiguous()).ToList(), 2);
        Assert.True(tiled.narrow(4, 0, 64).equal(left.narrow(4, 0, 64)).all().item<bool>());
        Assert.True(tiled.narrow(4, 128, 64).equal(right.narrow(4, 64, 64)).all().item<bool>());
        // A column's weight grows linearly over the 64 that both tiles have
        var share = (arange(64, dtype: ScalarType.Float32) + 0.5) / 64;
        var mixed = left.narrow(4, 64, 64) * (1 - share) + right.narrow(4, 0, 64) * share;
        Assert.True((tiled.narrow(4, 64, 64) - mixed).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void Decode_TilesThatDoNotDivideTheSides_CloseToUntiled()
    {
        using var scope = NewDisposeScope();
        using var vae = SyntheticSource.Build(weights => new WanVae(weights, Shape));
        var latent = SyntheticValues.Input("z", 1.7, 1, 4, 2, 19, 37);

        var tiled = cat(new TiledDecoder(vae.Module, Shape, 18).Decode(latent).ToList(), 2);
        var whole = cat(vae.Module.Decode(latent).ToList(), 2);

        Assert.Equal(whole.shape, tiled.shape);
        double off = ((tiled - whole).norm() / whole.norm()).item<float>();
        // Attention spans a tile instead of the frame: with random weights that alone moves pixels
        Assert.True(off < 0.2, $"relative distance {off}");
    }

    [Fact]
    public void TiledDecoder_TileWithoutAPartOfItsOwn_IsRefused()
    {
        using var vae = SyntheticSource.Build(weights => new WanVae(weights, Shape));

        Assert.Throws<ArgumentOutOfRangeException>(() => new TiledDecoder(vae.Module, Shape, 15));
    }
}
