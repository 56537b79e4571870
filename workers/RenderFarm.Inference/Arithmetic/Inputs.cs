using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>[B, C, (F,) H, W] and a kernel [out, C, (t,) h, w]; strides and padding, one number for each dimension of the kernel.</summary>
internal sealed record ConvolutionInput(Tensor X, Tensor Weight, Tensor? Bias, long[] Strides, long[] Padding);

/// <summary>[…, in] and a matrix [out, in].</summary>
internal sealed record LinearInput(Tensor X, Tensor Weight, Tensor? Bias);

/// <summary>Two stacks of matrices.</summary>
internal sealed record MatrixInput(Tensor A, Tensor B);

/// <summary>[B, H, L, D], twice [B, H, S, D].</summary>
internal sealed record AttentionInput(Tensor Q, Tensor K, Tensor V);
