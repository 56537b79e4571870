using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.ImageEncoder;

/// <summary>
/// The vision tower of CLIP, as Wan 2.1 looks at pictures with it: the tokens after all blocks but the last, class token
/// first, without the final norm.
/// </summary>
public sealed class ClipVision
{
    internal const double Epsilon = 1e-5;
    private static readonly float[] Mean = [0.48145466f, 0.4578275f, 0.40821073f];
    private static readonly float[] Deviation = [0.26862954f, 0.26130258f, 0.27577711f];

    private readonly ImageEncoderShape _shape;
    private readonly ScalarType _type;
    private readonly Tensor _patchWeight,
        _classToken,
        _positions;
    private readonly LayerNorm _preNorm;
    private readonly IReadOnlyList<ClipBlock> _blocks;

    /// <param name="weights">The scope <c>visual</c>.</param>
    public ClipVision(IWeights weights, ImageEncoderShape shape)
    {
        _shape = shape;
        _type = weights.Type;
        var exact = weights.As(ScalarType.Float32);
        _patchWeight = weights.Tensor("patch_embedding.weight", shape.Dim, 3, shape.PatchSize, shape.PatchSize);
        _classToken = exact.Tensor("cls_embedding", 1, 1, shape.Dim);
        _positions = exact.Tensor("pos_embedding", 1, shape.Tokens, shape.Dim);
        _preNorm = LayerNorm.Affine(weights.Scope("pre_norm"), shape.Dim, Epsilon);
        _blocks = [.. Enumerable.Range(0, shape.Layers - 1).Select(n => new ClipBlock(weights.Scope($"transformer.{n}"), shape))];
    }

    /// <param name="source">Keys below <c>visual.</c>; what else the file has (the text tower) is left alone.</param>
    /// <exception cref="CheckpointException">Names what is missing or misshapen.</exception>
    public static Loaded<ClipVision> Load(ITensorSource source, ImageEncoderShape shape, Device device, ScalarType computeType) =>
        LoadedWeights.Build(source, device, computeType, weights => new ClipVision(weights.Scope("visual"), shape), ignorable: _ => true);

    /// <summary>
    /// A picture as the tower takes it: stretched to a square whatever its proportions, bicubic without antialiasing, then
    /// normalised per channel.
    /// </summary>
    /// <param name="picture">[1, 3, H, W] in [−1, 1].</param>
    /// <returns>Float32 [1, 3, size, size]</returns>
    public static Tensor Prepare(Tensor picture, ImageEncoderShape shape)
    {
        using var scope = NewDisposeScope();
        var square = nn.functional.interpolate(
            picture.to(ScalarType.Float32),
            size: [shape.ImageSize, shape.ImageSize],
            mode: InterpolationMode.Bicubic,
            align_corners: false
        );
        Tensor Channels(float[] values) => tensor(values, device: picture.device).view(1, 3, 1, 1);
        return ((square * 0.5 + 0.5 - Channels(Mean)) / Channels(Deviation)).MoveToOuterDisposeScope();
    }

    /// <param name="pictures">[B, 3, size, size], see <see cref="Prepare"/>, on the device of the weights.</param>
    /// <param name="afterBlock">Called after every block; may throw to end the encoding.</param>
    /// <returns>Float32 [B, 1 + patches, dim]</returns>
    public Tensor Encode(Tensor pictures, Action? afterBlock = null)
    {
        if (pictures.dim() != 4 || pictures.shape[1] != 3 || pictures.shape[2] != _shape.ImageSize || pictures.shape[3] != _shape.ImageSize)
        {
            throw new ArgumentException(
                $"pictures of [{string.Join(", ", pictures.shape)}]; [B, 3, {_shape.ImageSize}, {_shape.ImageSize}] is needed",
                nameof(pictures)
            );
        }

        using var scope = NewDisposeScope();
        var patches = Convolution
            .OfPictures(pictures.to(_type), _patchWeight, bias: null, strides: [_shape.PatchSize, _shape.PatchSize])
            .flatten(2)
            .transpose(1, 2)
            .to(ScalarType.Float32); // [B, patches, dim]
        var x = cat([_classToken.expand(pictures.shape[0], -1, -1), patches], 1) + _positions;
        x = _preNorm.Apply(x);
        foreach (var block in _blocks)
        {
            using var before = x;
            x = block.Apply(x);
            afterBlock?.Invoke();
        }
        return x.MoveToOuterDisposeScope();
    }
}
