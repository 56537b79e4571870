using System.Buffers.Binary;
using System.Text;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// Reads a pickle as data. The opcodes are those that a saved state dictionary consists of, and the names it may refer to
/// are a fixed list; anything else is refused. Nothing is ever imported, looked up or called.
/// </summary>
internal sealed class PickleReader
{
    private static readonly object Mark = new();
    private static readonly HashSet<string> Functions =
    [
        "collections.OrderedDict",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
    ];

    private static readonly Dictionary<string, ElementType> Storages = new(StringComparer.Ordinal)
    {
        ["torch.DoubleStorage"] = ElementType.Named("F64")!,
        ["torch.FloatStorage"] = ElementType.Named("F32")!,
        ["torch.HalfStorage"] = ElementType.Named("F16")!,
        ["torch.BFloat16Storage"] = ElementType.Named("BF16")!,
        ["torch.LongStorage"] = ElementType.Named("I64")!,
        ["torch.IntStorage"] = ElementType.Named("I32")!,
        ["torch.ShortStorage"] = ElementType.Named("I16")!,
        ["torch.CharStorage"] = ElementType.Named("I8")!,
        ["torch.ByteStorage"] = ElementType.Named("U8")!,
        ["torch.BoolStorage"] = ElementType.Named("BOOL")!,
    };

    private readonly byte[] _bytes;
    private readonly string _file;
    private readonly Stack<object?> _stack = new();
    private readonly Dictionary<int, object?> _memo = [];
    private int _at;

    private PickleReader(byte[] bytes, string file) => (_bytes, _file) = (bytes, file);

    /// <param name="Key">Which of the archive's data files holds it.</param>
    public sealed record Storage(ElementType Type, string Key, long Elements);

    /// <summary>A view of a storage; offset and strides count elements.</summary>
    public sealed record TensorView(Storage Storage, long Offset, long[] Shape, long[] Strides);

    private sealed record Global(string Name);

    /// <summary>Dictionaries, lists, tuples (object arrays), strings, numbers and <see cref="TensorView"/>s.</summary>
    public static object? Read(byte[] pickle, string file)
    {
        var reader = new PickleReader(pickle, file);
        try
        {
            return reader.Run();
        }
        catch (Exception e)
            when (e
                    is InvalidOperationException
                        or InvalidCastException
                        or IndexOutOfRangeException
                        or ArgumentException
                        or OverflowException
                        or KeyNotFoundException
                        or NullReferenceException
            )
        {
            throw new CheckpointException(file, "pickle", $"is damaged near byte {reader._at}", e);
        }
    }

    private object? Run()
    {
        while (true)
        {
            var opcode = Byte();
            switch (opcode)
            {
                case 0x80:
                    Byte();
                    break; // PROTO
                case 0x95:
                    Int64();
                    break; // FRAME
                case (byte)'.':
                    return _stack.Pop(); // STOP
                case (byte)'(':
                    _stack.Push(Mark);
                    break; // MARK
                case (byte)'}':
                    _stack.Push(new Dictionary<object, object?>());
                    break; // EMPTY_DICT
                case (byte)']':
                    _stack.Push(new List<object?>());
                    break; // EMPTY_LIST
                case (byte)')':
                    _stack.Push(Array.Empty<object?>());
                    break; // EMPTY_TUPLE
                case (byte)'t':
                    _stack.Push(ToMark());
                    break; // TUPLE
                case 0x85:
                    _stack.Push(Take(1));
                    break; // TUPLE1
                case 0x86:
                    _stack.Push(Take(2));
                    break; // TUPLE2
                case 0x87:
                    _stack.Push(Take(3));
                    break; // TUPLE3
                case (byte)'N':
                    _stack.Push(null);
                    break; // NONE
                case 0x88:
                    _stack.Push(true);
                    break; // NEWTRUE
                case 0x89:
                    _stack.Push(false);
                    break; // NEWFALSE
                case (byte)'K':
                    _stack.Push((long)Byte());
                    break; // BININT1
                case (byte)'M':
                    _stack.Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Span(2)));
                    break; // BININT2
                case (byte)'J':
                    _stack.Push((long)Int32());
                    break; // BININT
                case 0x8a:
                    _stack.Push(Long(Byte()));
                    break; // LONG1
                case (byte)'G':
                    _stack.Push(BinaryPrimitives.ReadDoubleBigEndian(Span(8)));
                    break; // BINFLOAT
                case (byte)'X':
                    _stack.Push(Text(Int32()));
                    break; // BINUNICODE
                case 0x8c:
                    _stack.Push(Text(Byte()));
                    break; // SHORT_BINUNICODE
                case (byte)'q':
                    _memo[Byte()] = _stack.Peek();
                    break; // BINPUT
                case (byte)'r':
                    _memo[Int32()] = _stack.Peek();
                    break; // LONG_BINPUT
                case 0x94:
                    _memo[_memo.Count] = _stack.Peek();
                    break; // MEMOIZE
                case (byte)'h':
                    _stack.Push(_memo[Byte()]);
                    break; // BINGET
                case (byte)'j':
                    _stack.Push(_memo[Int32()]);
                    break; // LONG_BINGET
                case (byte)'c':
                    _stack.Push(Resolve(Line(), Line()));
                    break; // GLOBAL
                case 0x93:
                    StackGlobal();
                    break; // STACK_GLOBAL
                case (byte)'Q':
                    _stack.Push(ReadStorage((object?[])_stack.Pop()!));
                    break; // BINPERSID
                case (byte)'R':
                    Reduce();
                    break; // REDUCE
                case (byte)'a':
                    Append(Take(1));
                    break; // APPEND
                case (byte)'e':
                    Append(ToMark());
                    break; // APPENDS
                case (byte)'s':
                    SetItems(Take(2));
                    break; // SETITEM
                case (byte)'u':
                    SetItems(ToMark());
                    break; // SETITEMS
                case (byte)'b':
                    Build();
                    break; // BUILD
                default:
                    throw Refused($"opcode 0x{opcode:x2} at byte {_at - 1}");
            }
        }
    }

    private object Resolve(string module, string name)
    {
        var full = $"{module}.{name}";
        if (Storages.TryGetValue(full, out var type))
        {
            return type;
        }

        return Functions.Contains(full) ? new Global(full) : throw Refused($"the name '{full}'");
    }

    private void StackGlobal()
    {
        var names = Take(2);
        _stack.Push(Resolve((string)names[0]!, (string)names[1]!));
    }

    private void Reduce()
    {
        var arguments = (object?[])_stack.Pop()!;
        _stack.Push(
            (_stack.Pop() as Global)?.Name switch
            {
                "collections.OrderedDict" when arguments.Length == 0 => new Dictionary<object, object?>(),
                "torch._utils._rebuild_tensor_v2" when arguments.Length >= 4 => new TensorView(
                    (Storage)arguments[0]!,
                    (long)arguments[1]!,
                    Numbers(arguments[2]),
                    Numbers(arguments[3])
                ),
                "torch._utils._rebuild_parameter" when arguments is [TensorView view, ..] => view,
                _ => throw Refused($"a call at byte {_at - 1}"),
            }
        );
    }

    private Storage ReadStorage(object?[] id) =>
        id is ["storage", ElementType type, string key, string, long elements]
            ? new Storage(type, key, elements)
            : throw Refused($"a persistent id at byte {_at - 1}");

    /// <summary>Only the bookkeeping that state dictionaries carry along is expected; it is dropped.</summary>
    private void Build()
    {
        _stack.Pop();
        if (_stack.Peek() is not Dictionary<object, object?>)
        {
            throw Refused($"state for an object at byte {_at - 1}");
        }
    }

    private void Append(object?[] items) => ((List<object?>)_stack.Peek()!).AddRange(items);

    private void SetItems(object?[] items)
    {
        var target = (Dictionary<object, object?>)_stack.Peek()!;
        for (var i = 0; i < items.Length; i += 2)
        {
            if (target.TryGetValue(items[i]!, out var earlier) && earlier is TensorView)
            {
                throw new CheckpointException(_file, $"{items[i]}", "is given twice");
            }

            target[items[i]!] = items[i + 1];
        }
    }

    private object?[] ToMark()
    {
        var items = new List<object?>();
        for (var item = _stack.Pop(); !ReferenceEquals(item, Mark); item = _stack.Pop())
        {
            items.Add(item);
        }

        items.Reverse();
        return [.. items];
    }

    private object?[] Take(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            items[i] = _stack.Pop();
        }

        return items;
    }

    private static long[] Numbers(object? tuple) => [.. ((object?[])tuple!).Select(item => (long)item!)];

    private byte Byte() => _bytes[_at++];

    private int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Span(4));

    private void Int64() => Span(8);

    private long Long(int bytes)
    {
        if (bytes > 8)
        {
            throw Refused($"a number of {bytes} bytes");
        }

        long value = 0;
        var span = Span(bytes);
        for (var i = bytes - 1; i >= 0; i--)
        {
            value = value << 8 | span[i];
        }

        var unused = 64 - 8 * bytes;
        return bytes == 0 ? 0 : value << unused >> unused; // Sign
    }

    private string Text(int bytes) => Encoding.UTF8.GetString(Span(bytes));

    private string Line()
    {
        var end = Array.IndexOf(_bytes, (byte)'\n', _at);
        var line = Text(end - _at);
        _at++;
        return line;
    }

    private ReadOnlySpan<byte> Span(int count)
    {
        var span = _bytes.AsSpan(_at, count);
        _at += count;
        return span;
    }

    private CheckpointException Refused(string what) =>
        new(_file, "pickle", $"{what} has no place in a checkpoint of tensors; refused, nothing was run");
}
