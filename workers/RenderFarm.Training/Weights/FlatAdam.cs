using static TorchSharp.torch;

namespace RenderFarm.Training.Weights;

/// <summary>Adam with decoupled weight decay and a limit on the gradient's norm, and a running average of the parameters.</summary>
internal sealed class FlatAdam : IDisposable
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.99;
    private const double Epsilon = 1e-8;

    private readonly FlatParameters _parameters;
    private readonly Tensor _first,
        _second;
    private Tensor? _learns; // 1 where a parameter may change; null: everywhere

    public FlatAdam(FlatParameters parameters)
    {
        _parameters = parameters;
        _first = zeros_like(parameters.Values).DetachFromDisposeScope();
        _second = zeros_like(parameters.Values).DetachFromDisposeScope();
        Average = parameters.Values.detach().clone().DetachFromDisposeScope();
    }

    public int Step { get; private set; }

    /// <summary>What a stage hands on: smoother than the last values.</summary>
    public Tensor Average { get; }

    /// <summary>By name, for a file; the tensors stay here.</summary>
    public IReadOnlyDictionary<string, Tensor> State =>
        new Dictionary<string, Tensor>
        {
            ["values"] = _parameters.Values,
            ["first"] = _first,
            ["second"] = _second,
            ["average"] = Average,
        };

    /// <summary>Takes the gradient that <c>backward</c> left, and clears it.</summary>
    /// <returns>Its norm before the limit, on the device; the caller owns it.</returns>
    public Tensor Advance(double rate, double limit = 1.0, double decay = 0.01, double averaging = 0.999)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        Step++;
        var gradient =
            _parameters.Values.grad ?? throw new InvalidOperationException("there is no gradient; call backward on a loss first");
        var norm = gradient.norm();
        gradient.mul_((limit / (norm + 1e-6)).clamp(max: 1.0));
        using var before = _learns is null ? null : _parameters.Values.clone();
        _first.lerp_(gradient, 1 - Beta1);
        _second.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
        var scale = (_second / (1 - Math.Pow(Beta2, Step))).sqrt_().add_(Epsilon);
        _parameters.Values.mul_(1 - rate * decay).addcdiv_(_first, scale, -rate / (1 - Math.Pow(Beta1, Step)));
        if (_learns is not null)
        {
            _parameters.Values.copy_(where(_learns, _parameters.Values, before!));
        }
        // Young averages forget faster, or they would remember the start
        Average.lerp_(_parameters.Values, 1 - Math.Min(averaging, (1.0 + Step) / (10 + Step)));
        gradient.zero_();
        return norm.MoveToOuterDisposeScope();
    }

    public void Resume(int step) => Step = step;

    /// <summary>Goes on from the average as if it were new.</summary>
    public void BeginAgain()
    {
        using var noGradients = no_grad();
        _parameters.Values.copy_(Average);
        _first.zero_();
        _second.zero_();
        Step = 0;
    }

    /// <summary>Tensors of these names stay as they are.</summary>
    public void Freeze(Func<string, bool> named)
    {
        using var scope = NewDisposeScope();
        var parts = _parameters.Entries.Select(entry =>
            full([entry.Elements], !named(entry.Name), dtype: ScalarType.Bool, device: _parameters.Values.device)
        );
        _learns?.Dispose();
        _learns = cat(parts.ToList(), 0).DetachFromDisposeScope();
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        Average.Dispose();
        _learns?.Dispose();
    }
}
