using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;
using RenderFarm.Contracts.Messages;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// Where messages rest that can't become a job. They are moved there on the channel that brought them, as MassTransit moves its own
/// faults: through the default exchange, byte for byte, with the properties they came with.
/// </summary>
internal static class RejectedQueue
{
    /// <summary>Of both queues of the door: what lies in them outlives a broker of several nodes losing one.</summary>
    public static readonly KeyValuePair<string, object> Type = new(Headers.XQueueType, "quorum");

    private static readonly Dictionary<string, object> Arguments = new([Type]);

    public static Task DeclareAsync(ChannelContext channel) =>
        channel.QueueDeclare(
            Bells.RejectedIntakeQueue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            Arguments,
            channel.CancellationToken
        );

    /// <returns>When the broker has confirmed that it is in the queue.</returns>
    public static async Task MoveAsync(ChannelContext channel, BasicProperties properties, byte[] body, CancellationToken cancellationToken)
    {
        // Somebody may have deleted it since.
        await DeclareAsync(channel).WaitAsync(cancellationToken);
        await channel.BasicPublishAsync(
            "",
            Bells.RejectedIntakeQueue,
            mandatory: true,
            properties,
            body,
            awaitAck: true,
            cancellationToken
        );
    }
}
