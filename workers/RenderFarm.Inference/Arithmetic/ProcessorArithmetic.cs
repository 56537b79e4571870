using RenderFarm.Inference.SelfTests;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// What this processor, with this libtorch, can be trusted with. It is judged at the first start on it, against float64, and the
/// verdict is kept; every later process reads it. Layers ask <see cref="Convolution"/>, <see cref="Product"/> and
/// <see cref="HeadAttention"/>, which take the way that was found right.
/// </summary>
public static class ProcessorArithmetic
{
    /// <summary>Sums of some thousand products are off by some 1e-7; with inputs rounded to ten bits they would be by 1e-3.</summary>
    internal const double Float32Limit = 1e-5;

    /// <summary>The result alone is rounded: to eight bits.</summary>
    internal const double BFloat16Limit = 5e-3;

    internal static readonly Operation<ConvolutionInput> Conv2d = Convolution.Conv2dOperation();
    internal static readonly Operation<ConvolutionInput> Conv3d = Convolution.Conv3dOperation();
    internal static readonly Operation<LinearInput> Linear = Product.LinearOperation();
    internal static readonly Operation<LinearInput> LinearInBFloat16 = Product.LinearInBFloat16Operation();
    internal static readonly Operation<MatrixInput> Matrices = Product.MatricesOperation();
    internal static readonly Operation<MatrixInput> MatricesInBFloat16 = Product.MatricesInBFloat16Operation();
    internal static readonly Operation<AttentionInput> Attention = HeadAttention.AttentionOperation();

    private static readonly IOperation[] All = [Conv2d, Conv3d, Linear, LinearInBFloat16, Matrices, MatricesInBFloat16, Attention];
    private static readonly Lazy<SelfTestRecord> Known = new(() => Find(SelfTestFolder.OfThisUser()) ?? Judge(SelfTestFolder.OfThisUser()));

    /// <summary>Kept from an earlier process, or judged now.</summary>
    public static SelfTestRecord Verdict => Known.Value;

    /// <summary>Null where this processor was never judged.</summary>
    public static SelfTestRecord? Find(SelfTestFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return folder.Find(Key());
    }

    /// <summary>Judged now, whatever is kept, and kept then. What this process has begun to do in one way it goes on doing so.</summary>
    public static SelfTestRecord Judge(SelfTestFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        using var noGradients = no_grad();
        var record = new SelfTestRecord(Key(), [.. All.Select(operation => operation.Judge())]);
        _ = folder.Keep(record); // Where nothing can be kept the next process judges for itself
        return record;
    }

    private static SelfTestKey Key()
    {
        using (zeros(1)) { } // The library is there from here on
        var cases = ForcedFault.All.Length == 0 ? SelfTestKey.Build : $"{SelfTestKey.Build} with {ForcedFault.All}";
        return new SelfTestKey(ProcessorName.Whole, "", LibTorchBuild.Name, cases);
    }
}
