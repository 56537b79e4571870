using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>One way to do an operation.</summary>
/// <param name="Name">As findings and people call it.</param>
internal sealed record Way<TInput>(string Name, Func<TInput, Tensor> Apply);

/// <summary>One thing that an operation is tried on.</summary>
internal sealed record Trial<TInput>(string Name, TInput Input);
