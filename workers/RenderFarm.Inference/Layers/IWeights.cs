using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// Weights as data. A module asks for its tensors by name and shape when it is built, keeps them without owning them, and
/// is a pure function from then on. Where they live (resident, in a ring slot that is refilled for every block, stored in
/// eight bits, trainable) is the business of the implementation.
/// </summary>
public interface IWeights
{
    /// <summary>The type that tensors come in and that linears compute in.</summary>
    ScalarType Type { get; }

    /// <summary>The weights below <c>name.</c></summary>
    IWeights Scope(string name);

    /// <summary>The same weights, handed out in another type: <c>As(ScalarType.Float32)</c> where precision is required.</summary>
    IWeights As(ScalarType type);

    Tensor Tensor(string name, params ReadOnlySpan<long> shape);

    /// <summary><c>name.weight</c> [out, in] and <c>name.bias</c> [out].</summary>
    Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true);

    /// <summary>Products of the same rows, [.., in] → [.., names × out], results side by side in the order of the names.</summary>
    Linear Joined(IReadOnlyList<string> names, int inFeatures, int outFeatures) =>
        new JoinedLinear([.. names.Select(name => Linear(name, inFeatures, outFeatures))]);
}
