namespace RenderFarm.Inference.Gguf;

/// <summary>Kinds of metadata, numbered as in the format.</summary>
public enum GgufKind
{
    UInt8 = 0,
    Int8 = 1,
    UInt16 = 2,
    Int16 = 3,
    UInt32 = 4,
    Int32 = 5,
    Float32 = 6,
    Bool = 7,
    Text = 8,
    Array = 9,
    UInt64 = 10,
    Int64 = 11,
    Float64 = 12,
}

/// <summary>Where a metadata value lies in its file; it is read when it is asked for.</summary>
/// <param name="Kind">Of the value, or of an array's elements.</param>
/// <param name="Count">Null where it is no array.</param>
/// <param name="At">Byte of the file at which the value, or an array's first element, begins.</param>
public readonly record struct GgufValue(GgufKind Kind, long? Count, long At)
{
    /// <summary>Bytes of one; 0 for texts, which tell their own length.</summary>
    internal static int Size(GgufKind kind) =>
        kind switch
        {
            GgufKind.UInt8 or GgufKind.Int8 or GgufKind.Bool => 1,
            GgufKind.UInt16 or GgufKind.Int16 => 2,
            GgufKind.UInt32 or GgufKind.Int32 or GgufKind.Float32 => 4,
            GgufKind.UInt64 or GgufKind.Int64 or GgufKind.Float64 => 8,
            _ => 0,
        };
}
