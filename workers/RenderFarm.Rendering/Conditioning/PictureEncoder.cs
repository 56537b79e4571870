using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Rendering.Conditioning.Pictures;
using RenderFarm.Wan.ImageEncoder;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

/// <summary>The pictures of one order, read and fitted once, then encoded by whatever the model looks at them with.</summary>
public sealed class PictureEncoder : IDisposable
{
    private readonly ModelShape _shape;
    private readonly RenderSpec _spec;
    private readonly Tensor _first;
    private readonly Tensor? _last;

    /// <exception cref="RenderException">A picture can't be read.</exception>
    public PictureEncoder(RenderOrder order)
    {
        (_shape, _spec) = (order.Shape, order.Spec);
        _first = PictureFile.Read(order.InputFiles[InputRoles.FirstFrame], InputRoles.FirstFrame);
        if (order.InputFiles.TryGetValue(InputRoles.LastFrame, out var path))
        {
            _last = PictureFile.Read(path, InputRoles.LastFrame);
        }
    }

    /// <summary>The pictures through the vision tower, or as many as this model's image branch takes.</summary>
    public Tensor Features(ClipVision tower, Device device, Action alive)
    {
        using var scope = NewDisposeScope();
        var pictures = _shape.NeedsLastFrame ? (Tensor[])[_first, _last!] : [_first];
        var prepared = cat(
            [
                .. pictures.Select(picture =>
                    ClipVision.Prepare(PictureFit.Shown(picture, _shape, _spec.Width, _spec.Height), _shape.ImageEncoder!)
                ),
            ],
            0
        );
        return tower.Encode(prepared.to(device), alive).MoveToOuterDisposeScope();
    }

    /// <summary>Mask and latent of the given frames.</summary>
    /// <param name="tile">Side of a tile in latent cells; 0 encodes whole frames.</param>
    public Tensor Channels(WanVae vae, Device device, int tile, Action alive)
    {
        using var scope = NewDisposeScope();
        Tensor Fitted(Tensor picture) =>
            PictureFit.Bicubic(PictureFit.Shown(picture, _shape, _spec.Width, _spec.Height), _spec.Width, _spec.Height).to(device);
        var given = new GivenFrames(Fitted(_first), _last is null ? null : Fitted(_last), _spec.Frames);
        var latent = Encode(vae, _spec.Frames, given.Chunk, tile, alive);
        return cat([given.Mask(latent.shape[3], latent.shape[4], device), latent], 1).MoveToOuterDisposeScope();
    }

    /// <summary>The first picture as the first latent frame.</summary>
    public Tensor FirstLatent(WanVae vae, Device device, int tile, Action alive)
    {
        using var scope = NewDisposeScope();
        var fitted = PictureFit.Lanczos(_first, _spec.Width, _spec.Height).unsqueeze(2).to(device); // [1, 3, 1, H, W]
        return Encode(vae, 1, (_, _) => fitted.alias(), tile, alive).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _first.Dispose();
        _last?.Dispose();
    }

    private Tensor Encode(WanVae vae, int frames, Func<long, long, Tensor> chunk, int tile, Action alive) =>
        tile == 0
            ? vae.Encode(frames, chunk, alive)
            : new TiledEncoder(vae, _shape.Vae, tile).Encode(frames, _spec.Height, _spec.Width, chunk, alive);
}
