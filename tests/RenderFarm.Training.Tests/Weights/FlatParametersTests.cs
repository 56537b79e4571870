using RenderFarm.Inference.Safetensors;
using RenderFarm.Training.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests.Weights;

public sealed class FlatParametersTests : IDisposable
{
    private static readonly ElementType Float = ElementType.Of(ScalarType.Float32);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly FlatParameters _parameters = new(
        [new("a.weight", Float, [2, 3]), new("a.bias", Float, [2]), new("a.weight", Float, [2, 3])],
        CPU
    );

    public void Dispose()
    {
        _parameters.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Open_TensorsByNameAndShape_AreViewsOfOne()
    {
        _parameters.Initialize(entry => full([.. entry.Shape], entry.Name == "a.bias" ? 2.0 : 1.0));

        var weights = _parameters.Open(ScalarType.Float32).Scope("a");

        Assert.Equal(8, _parameters.Values.numel());
        Assert.Equal([1f, 1, 1, 1, 1, 1], weights.Tensor("weight", 2, 3).data<float>().ToArray());
        Assert.Equal([2f, 2], weights.Tensor("bias", 2).data<float>().ToArray());
        Assert.Throws<ArgumentException>(() => weights.Tensor("weight", 3, 2));
        Assert.Throws<ArgumentException>(() => weights.Tensor("other", 2));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Open_LossOverALinear_LeavesTheGradientInOnePiece(ScalarType type)
    {
        _parameters.Values.requires_grad_(true);
        var weights = _parameters.Open(type);

        var y = weights.Linear("a", 3, 2).Apply(tensor(new float[] { 1, 2, 3 }).view(1, 3));
        (y.to(ScalarType.Float32).sum() + weights.As(ScalarType.Float32).Tensor("a.bias", 2).sum()).backward();

        Assert.Equal([1f, 2, 3, 1, 2, 3, 2, 2], _parameters.Values.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Advance_QuadraticLoss_ComesDownToItsLowestPoint()
    {
        _parameters.Values.requires_grad_(true);
        using var adam = new FlatAdam(_parameters);
        for (var i = 0; i < 300; i++)
        {
            using var step = NewDisposeScope();
            (_parameters.Values - 3).square().sum().backward();
            adam.Advance(0.05, decay: 0);
        }

        Assert.True(_parameters.Values.allclose(full_like(_parameters.Values, 3), atol: 0.02));
        Assert.True(adam.Average.allclose(full_like(_parameters.Values, 3), atol: 0.2));
        Assert.Equal(300, adam.Step);
    }
}
