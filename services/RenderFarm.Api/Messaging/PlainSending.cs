using MassTransit;

namespace RenderFarm.Api.Messaging;

/// <summary>Sends plain JSON to an exchange that outsiders read: no envelope, no headers of MassTransit's.</summary>
internal static class PlainSending
{
    /// <summary>
    /// Returns with the broker's confirm, where one is asked for. Sends that are begun one after the other go out in that order once the
    /// first is through.
    /// </summary>
    /// <param name="address">Routing key and properties: MassTransit would set a message id of its own form.</param>
    /// <exception cref="InvalidOperationException">The channel is gone.</exception>
    public static Task SendPlainAsync<T>(
        this ISendEndpoint exchange,
        T message,
        Action<RabbitMqSendContext> address,
        CancellationToken cancellationToken
    )
        where T : class
    {
        var isTried = false;
        return exchange.Send(
            message,
            Pipe.Execute<SendContext<T>>(context =>
            {
                // MassTransit would try again by itself, and then this message came after those that were sent later.
                if (isTried)
                {
                    throw new InvalidOperationException("The channel to the broker is gone.");
                }

                isTried = true;
                context.Serializer = PlainJson.Instance;
                context.MessageId = null;
                address(context.GetPayload<RabbitMqSendContext>());
            }),
            cancellationToken
        );
    }
}
