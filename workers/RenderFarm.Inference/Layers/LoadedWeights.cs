using RenderFarm.Inference.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// Weights read from a checkpoint, whole, onto one device; owns their tensors.
/// What is missing or has another shape is collected while modules are built (they get placeholders without memory), so
/// that <see cref="RequireComplete"/> can say everything in one error instead of the first thing only.
/// </summary>
public sealed class LoadedWeights : IWeights, IDisposable
{
    private readonly ITensorSource _source;
    private readonly Device _device;
    private readonly ScalarType _computeType;
    private readonly Func<Tensor, Tensor>? _arrange;
    private readonly Dictionary<(string Name, ScalarType Type), Tensor> _loaded = [];
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private readonly List<string> _missing = [];
    private readonly List<string> _misshaped = [];

    /// <param name="source">Read while modules are built; may be disposed after that.</param>
    /// <param name="arrange">Takes a tensor over and gives it back with its values in another order of memory.</param>
    public LoadedWeights(ITensorSource source, Device device, ScalarType computeType, Func<Tensor, Tensor>? arrange = null) =>
        (_source, _device, _computeType, _arrange) = (source, device, computeType, arrange);

    /// <summary>Builds a module over a checkpoint and insists that checkpoint and module fit each other exactly.</summary>
    /// <param name="ignorable">Names in the file that the module may leave alone.</param>
    /// <param name="arrange">Takes a tensor over and gives it back with its values in another order of memory.</param>
    public static Loaded<T> Build<T>(
        ITensorSource source,
        Device device,
        ScalarType computeType,
        Func<IWeights, T> build,
        Func<string, bool>? ignorable = null,
        Func<Tensor, Tensor>? arrange = null
    )
    {
        var weights = new LoadedWeights(source, device, computeType, arrange);
        try
        {
            var module = build(weights);
            weights.RequireComplete(ignorable);
            return new Loaded<T>(module, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Bytes held on the device.</summary>
    public long Bytes => _loaded.Values.Sum(tensor => tensor.numel() * tensor.element_size());

    public ScalarType Type => _computeType;

    public IWeights Scope(string name) => new View(this, name + ".", _computeType);

    public IWeights As(ScalarType type) => new View(this, "", type);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape) => Get(name, shape, _computeType);

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
        new View(this, "", _computeType).Linear(name, inFeatures, outFeatures, bias);

    /// <exception cref="CheckpointException">Names the file and the first tensors that are missing, misshapen or unknown.</exception>
    public void RequireComplete(Func<string, bool>? ignorable = null)
    {
        var unknown = _source
            .Entries.Keys.Where(name => !_asked.Contains(name) && ignorable?.Invoke(name) != true)
            .Order(StringComparer.Ordinal)
            .ToList();
        var faults = new[] { Some("missing", _missing), Some("of another shape", _misshaped), Some("unknown to this model", unknown) }
            .Where(fault => fault is not null)
            .ToList();
        if (faults.Count == 0)
        {
            return;
        }

        var first = _missing.Concat(_misshaped).Concat(unknown).First();
        throw new CheckpointException(
            _source.Name,
            first.Split(' ')[0],
            $"the checkpoint does not fit the model: {string.Join("; ", faults)}. Is it the right file, and whole?"
        );
    }

    public void Dispose()
    {
        foreach (var tensor in _loaded.Values)
        {
            tensor.Dispose();
        }

        _loaded.Clear();
    }

    private static string? Some(string what, List<string> names) =>
        names.Count == 0
            ? null
            : $"{names.Count} {(names.Count == 1 ? "tensor" : "tensors")} {what} "
                + $"({string.Join(", ", names.Take(5))}{(names.Count > 5 ? ", …" : "")})";

    private Tensor Get(string name, ReadOnlySpan<long> shape, ScalarType type)
    {
        if (_loaded.TryGetValue((name, type), out var tensor))
        {
            return tensor;
        }

        tensor = Fits(name, shape, report: _asked.Add(name))
            ? Load(name, type)
            : empty(shape.ToArray(), dtype: type, device: META).DetachFromDisposeScope();
        _loaded.Add((name, type), tensor);
        return tensor;
    }

    private bool Fits(string name, ReadOnlySpan<long> shape, bool report)
    {
        if (!_source.Entries.TryGetValue(name, out var entry))
        {
            if (report)
            {
                _missing.Add(name);
            }

            return false;
        }
        if (entry.Shape.SequenceEqual(shape.ToArray()))
        {
            return true;
        }

        if (report)
        {
            _misshaped.Add($"{name} [{string.Join(", ", entry.Shape)}] instead of [{string.Join(", ", shape.ToArray())}]");
        }

        return false;
    }

    private Tensor Load(string name, ScalarType type)
    {
        var loaded = Read(name, type);
        return _arrange is null ? loaded : _arrange(loaded).DetachFromDisposeScope();
    }

    private Tensor Read(string name, ScalarType type)
    {
        var stored = _source.Load(name);
        if (stored.dtype == type && _device.type == DeviceType.CPU)
        {
            return stored;
        }

        using (stored)
        {
            return stored.to(type, _device).DetachFromDisposeScope();
        }
    }

    private sealed class View(LoadedWeights root, string prefix, ScalarType type) : IWeights
    {
        public ScalarType Type => type;

        public IWeights Scope(string name) => new View(root, $"{prefix}{name}.", type);

        public IWeights As(ScalarType other) => new View(root, prefix, other);

        public Tensor Tensor(string name, params ReadOnlySpan<long> shape) => root.Get(prefix + name, shape, type);

        public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
            new DenseLinear(Tensor(name + ".weight", outFeatures, inFeatures), bias ? Tensor(name + ".bias", outFeatures) : null);
    }
}

/// <summary>A module together with the weights it runs on.</summary>
public sealed record Loaded<T>(T Module, LoadedWeights Weights) : IDisposable
{
    public void Dispose()
    {
        (Module as IDisposable)?.Dispose();
        Weights.Dispose();
    }
}
