using RenderFarm.Cuda.Aten;
using static TorchSharp.torch;

namespace RenderFarm.Cuda.Tests;

public sealed class AtenTests
{
    [Fact]
    public void Relu_ThroughTheDispatcher_IsTorchs()
    {
        using var x = tensor(new[] { -1f, 0f, 2.5f });
        using var y = AtenOps.Relu(x);
        Assert.Equal([0f, 0f, 2.5f], y.data<float>().ToArray());
    }

    [Fact]
    public void ViewAs_Float32AsBytes_KeepsTheBits()
    {
        using var x = tensor(new[] { 1f, -2f });
        using var bytes = AtenOps.ViewAs(x, ScalarType.Byte);
        Assert.Equal(BitConverter.GetBytes(1f).Concat(BitConverter.GetBytes(-2f)), bytes.data<byte>().ToArray());
    }

    [Fact]
    public void FromMemory_OfATensor_SeesItsValues()
    {
        using var x = arange(6, dtype: ScalarType.Float32);
        using var view = AtenOps.FromMemory(AtenOps.DataPointer(x), [2, 3], ScalarType.Float32, CPU);
        x[4] = 40f;
        Assert.Equal([2L, 3L], view.shape);
        Assert.Equal(40f, view[1, 1].item<float>());
    }

    [Fact]
    public void Call_OnWhatTheOperatorRefuses_NamesOperatorAndShapes()
    {
        using var a = zeros(2, 3, dtype: ScalarType.Float32);
        using var one = ones(1);
        var error = Assert.Throws<InvalidOperationException>(() => AtenOps.ScaledMm(a, a, one, one, bias: null));
        Assert.Contains("aten::_scaled_mm", error.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 3]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_ManyOfThem_LeaveNoTensorBehind()
    {
        using var x = randn(1000);
        AtenOps.Relu(x).Dispose();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 100; i++)
        {
            AtenOps.Relu(x).Dispose();
        }

        Assert.InRange(Tensor.TotalCount, 0, before); // Fewer when the garbage of an earlier test went meanwhile
    }
}
