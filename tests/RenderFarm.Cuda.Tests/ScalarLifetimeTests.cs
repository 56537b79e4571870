using System.Runtime.InteropServices;
using TorchSharp;

namespace RenderFarm.Cuda.Tests;

/// <summary>
/// TorchSharp passes temporary Scalars to native code without keeping them alive. The build mends it: see
/// deploy/build/TorchNative.targets.
/// </summary>
public sealed partial class ScalarLifetimeTests
{
    [Fact]
    public void Dispose_OfANativeScalar_LeavesItsMemoryReadable()
    {
        _ = torch.cuda.is_available(); // Loads the library
        var first = NewScalar(2.5);
        DisposeScalar(first);
        Assert.NotEqual(first, NewScalar(3.5)); // Freed memory of this size would be handed out again at once
    }

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTorch_float64_to_scalar")]
    private static partial nint NewScalar(double value);

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTorch_dispose_scalar")]
    private static partial void DisposeScalar(nint scalar);
}
