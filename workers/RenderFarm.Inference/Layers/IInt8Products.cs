using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// Products of int8 rows with int8 weights. <see cref="PlainInt8Products"/> says what they are; <see cref="FusedInt8Products"/> runs
/// them on a card's int8 units.
/// </summary>
public interface IInt8Products
{
    /// <summary>Rows of any floating type to int8 with a scale each.</summary>
    Activation Quantize(Tensor x);

    /// <summary>out[m, n] = Σ rows[m, k]·weight[n, k] · rows.Scales[m]·scales[n] + bias[n], bf16.</summary>
    /// <param name="rows">int8 [m, k] and float32 [m, 1].</param>
    /// <param name="weight">int8 [n, k].</param>
    /// <param name="scales">Float32 [n, 1].</param>
    /// <param name="bias">bf16 [n].</param>
    Tensor Apply(Activation rows, Tensor weight, Tensor scales, Tensor? bias);
}
