using RenderFarm.Cuda;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Calibration;

/// <summary>Products of eight bits, tried on the card at hand against what they should be.</summary>
internal static class ProductTrial
{
    /// <param name="least">The compute capability from which on there are such products.</param>
    /// <param name="name">What they are called where they are off.</param>
    /// <param name="most">They are trusted up to this error.</param>
    /// <param name="multiply">Once, with what is exact of it.</param>
    /// <returns>Null when they run and are right.</returns>
    public static string? WhyNot((int Major, int Minor) least, string name, double most, Func<(Tensor Product, Tensor Exact)> multiply)
    {
        var (major, minor) = CudaDevice.ComputeCapability;
        if ((major, minor).CompareTo(least) < 0)
        {
            return $"compute capability {major}.{minor}, {least.Major}.{least.Minor} is needed";
        }

        using var scope = NewDisposeScope();
        try
        {
            var (product, exact) = multiply();
            double error = ((product - exact).norm() / exact.norm()).item<float>();
            return error <= most ? null : $"{name} are off by {error:0.0e+0}";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }
}
