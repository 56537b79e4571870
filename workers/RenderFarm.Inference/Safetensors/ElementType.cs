using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>How the elements of a tensor are stored, by the names that safetensors gives them.</summary>
public sealed record ElementType(string Name, ScalarType ScalarType, int Bytes)
{
    /// <summary>e4m3fn: TorchSharp has no member for it, libtorch does.</summary>
    public const ScalarType Float8E4M3 = (ScalarType)24;

    public const ScalarType Float8E5M2 = (ScalarType)23;

    public static IReadOnlyList<ElementType> All { get; } =
    [
        new("F64", ScalarType.Float64, 8),
        new("F32", ScalarType.Float32, 4),
        new("F16", ScalarType.Float16, 2),
        new("BF16", ScalarType.BFloat16, 2),
        new("F8_E4M3", Float8E4M3, 1),
        new("F8_E5M2", Float8E5M2, 1),
        new("I64", ScalarType.Int64, 8),
        new("I32", ScalarType.Int32, 4),
        new("I16", ScalarType.Int16, 2),
        new("I8", ScalarType.Int8, 1),
        new("U8", ScalarType.Byte, 1),
        new("BOOL", ScalarType.Bool, 1),
    ];

    public static ElementType? Named(string name) => All.FirstOrDefault(type => type.Name == name);

    public static ElementType Of(ScalarType type) =>
        All.FirstOrDefault(known => known.ScalarType == type)
        ?? throw new NotSupportedException($"tensors of type {type} have no place in a checkpoint");

    public override string ToString() => Name;
}
