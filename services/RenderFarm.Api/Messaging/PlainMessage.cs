using System.Net.Mime;
using MassTransit;
using MassTransit.Configuration;
using MassTransit.Serialization;

namespace RenderFarm.Api.Messaging;

/// <summary>A message that was not written by MassTransit. What it says is read from its delivery, by whoever it was meant for.</summary>
internal sealed record PlainMessage
{
    /// <summary>Everything that comes to the endpoint is one of these, whatever its body and content type.</summary>
    public static void ReceivedBy(IReceiveEndpointConfigurator endpoint)
    {
        // The order matters: the endpoint must forget the envelopes before it learns this.
        endpoint.ClearSerialization();
        endpoint.AddSerializer(new SystemTextJsonMessageSerializerFactory());
        endpoint.AddDeserializer(new Factory(), isDefault: true);
    }

    private sealed class Factory : ISerializerFactory
    {
        public ContentType ContentType => SystemTextJsonRawMessageSerializer.JsonContentType;

        public IMessageSerializer CreateSerializer() => PlainJson.Instance;

        public IMessageDeserializer CreateDeserializer() => new Deserializer();
    }

    /// <summary>
    /// MassTransit's raw deserialiser, shown neither the body nor the headers: a body that is no JSON would land in an error queue, and
    /// headers of a stranger could name the address to which MassTransit sends its answers and faults.
    /// </summary>
    private sealed class Deserializer : IMessageDeserializer
    {
        private static readonly SystemTextJsonRawMessageSerializer Raw = new(RawSerializerOptions.AnyMessageType);

        public ContentType ContentType => Raw.ContentType;

        public ConsumeContext Deserialize(ReceiveContext receiveContext) =>
            new BodyConsumeContext(
                receiveContext,
                Deserialize(receiveContext.Body, receiveContext.TransportHeaders, receiveContext.InputAddress)
            );

        public SerializerContext Deserialize(MessageBody body, Headers headers, Uri? destinationAddress = null) =>
            Raw.Deserialize(EmptyMessageBody.Instance, EmptyHeaders.Instance, destinationAddress);

        public MessageBody GetMessageBody(string text) => new StringMessageBody(text);

        public void Probe(ProbeContext context) => Raw.Probe(context);
    }
}
