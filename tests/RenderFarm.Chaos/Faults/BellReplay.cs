using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using RenderFarm.Contracts.Messages;

namespace RenderFarm.Chaos.Faults;

/// <summary>Rings bells past the API, straight into the workers' queue, as a broker that delivers twice and late would.</summary>
internal static class BellReplay
{
    /// <summary>False when the broker is away.</summary>
    public static async Task<bool> TryRingAsync(Uri broker, IReadOnlyList<string> jobs, int copies, CancellationToken cancellationToken)
    {
        try
        {
            var factory = new ConnectionFactory
            {
                Uri = broker,
                AutomaticRecoveryEnabled = false,
                RequestedConnectionTimeout = TimeSpan.FromSeconds(3),
            };
            await using var connection = await factory.CreateConnectionAsync(cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            var properties = new BasicProperties { ContentType = "application/vnd.masstransit+json" };
            for (var copy = 0; copy < copies; copy++)
            {
                foreach (var job in jobs)
                {
                    var envelope = JsonSerializer.SerializeToUtf8Bytes(
                        new
                        {
                            messageId = Guid.NewGuid(),
                            messageType = new[] { $"urn:message:{typeof(JobQueued).Namespace}:{nameof(JobQueued)}" },
                            message = new { jobId = job, vramClass = Bells.ClassName(0) },
                        }
                    );
                    await channel.BasicPublishAsync("", Bells.Queue(0), mandatory: false, properties, envelope, cancellationToken);
                }
            }

            return true;
        }
        catch (Exception away)
            when (away is BrokerUnreachableException or OperationInterruptedException or IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
