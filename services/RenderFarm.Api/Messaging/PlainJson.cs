using System.Net.Mime;
using System.Text.Json;
using MassTransit;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Writes a message as its plain JSON, as outsiders read it. MassTransit's own raw serialiser shares its options with the envelopes of
/// bells and cancellations, whose names are written otherwise.
/// </summary>
internal sealed class PlainJson : IMessageSerializer
{
    public static PlainJson Instance { get; } = new();

    public ContentType ContentType { get; } = new(MediaTypeNames.Application.Json);

    public MessageBody GetMessageBody<T>(SendContext<T> context)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(context);
        return new BytesMessageBody(JsonSerializer.SerializeToUtf8Bytes(context.Message, Wire.Json));
    }
}
