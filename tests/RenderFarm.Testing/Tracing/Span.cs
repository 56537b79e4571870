using System.Globalization;
using Google.Protobuf;

namespace RenderFarm.Testing.Tracing;

/// <summary>A span as OTLP has it on the wire (<c>opentelemetry/proto/trace/v1/trace.proto</c>), as far as tests ask for it.</summary>
public sealed record Span
{
    public required string Service { get; init; }
    public string TraceId { get; private set; } = "";
    public string Id { get; private set; } = "";

    /// <summary>Empty for the first of a trace, as far as its process knows.</summary>
    public string ParentId { get; private set; } = "";
    public string Name { get; private set; } = "";
    public DateTimeOffset Start { get; private set; }
    public DateTimeOffset End { get; private set; }
    public TimeSpan Duration => End - Start;
    public Dictionary<string, string> Attributes { get; } = new(StringComparer.Ordinal);

    /// <summary>Ids of the spans that it links to.</summary>
    public List<string> Links { get; } = [];

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Service} {Name} {Id} under {ParentId}, {Duration.TotalMilliseconds:0} ms");

    /// <summary>All spans of an export request.</summary>
    public static List<Span> ReadAll(byte[] request)
    {
        List<Span> spans = [];
        Fields(request, 1, resourceSpans =>
        {
            var service = "";
            Fields(
                resourceSpans,
                1,
                resource => Fields(resource, 1, pair => service = Pair(pair) is ("service.name", var name) ? name : service)
            );
            Fields(resourceSpans, 2, scopeSpans => Fields(scopeSpans, 2, span => spans.Add(Read(service, span))));
        });
        return spans;
    }

    private static Span Read(string service, byte[] message)
    {
        var span = new Span { Service = service };
        var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    span.TraceId = Hex(input.ReadBytes());
                    break;
                case 2:
                    span.Id = Hex(input.ReadBytes());
                    break;
                case 4:
                    span.ParentId = Hex(input.ReadBytes());
                    break;
                case 5:
                    span.Name = input.ReadString();
                    break;
                case 7:
                    span.Start = Time(input.ReadFixed64());
                    break;
                case 8:
                    span.End = Time(input.ReadFixed64());
                    break;
                case 9:
                    var (key, value) = Pair(input.ReadBytes().ToByteArray());
                    span.Attributes[key] = value;
                    break;
                case 13:
                    Fields(input.ReadBytes().ToByteArray(), 2, id => span.Links.Add(Convert.ToHexStringLower(id)));
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return span;
    }

    /// <summary>Numbers and truths as text, what is made of several values as nothing.</summary>
    private static (string Key, string Value) Pair(byte[] message)
    {
        var (key, value) = ("", "");
        var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    key = input.ReadString();
                    break;
                case 2:
                    value = Value(input.ReadBytes().ToByteArray());
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return (key, value);
    }

    private static string Value(byte[] message)
    {
        var input = new CodedInputStream(message);
        return WireFormat.GetTagFieldNumber(input.ReadTag()) switch
        {
            1 => input.ReadString(),
            2 => input.ReadBool().ToString(),
            3 => input.ReadInt64().ToString(CultureInfo.InvariantCulture),
            4 => input.ReadDouble().ToString(CultureInfo.InvariantCulture),
            _ => "",
        };
    }

    /// <summary>The messages, or bytes, of one field.</summary>
    private static void Fields(byte[] message, int number, Action<byte[]> each)
    {
        var input = new CodedInputStream(message);
        while (input.ReadTag() is > 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number)
            {
                each(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }
    }

    private static string Hex(ByteString bytes) => Convert.ToHexStringLower(bytes.Span);

    private static DateTimeOffset Time(ulong nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / 100));
}
