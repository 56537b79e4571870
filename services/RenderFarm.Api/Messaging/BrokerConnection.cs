using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// The connection for plain messages: intake, events, notices. Bells and cancellations go through MassTransit, whose
/// envelopes only our own workers read.
/// </summary>
public sealed class BrokerConnection(BusOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private readonly ConnectionFactory factory = new()
    {
        Uri = new Uri(options.Uri),
        ClientProvidedName = "renderfarm-api",
        // Whoever uses a channel declares what it needs and begins anew: what has to be restored, he knows best.
        AutomaticRecoveryEnabled = false,
        RequestedHeartbeat = TimeSpan.FromSeconds(10),
        RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
    };

    private IConnection? connection;

    /// <exception cref="BrokerUnreachableException">No broker, or it refuses.</exception>
    public async Task<IConnection> OpenAsync(CancellationToken cancel)
    {
        await gate.WaitAsync(cancel);
        try
        {
            if (connection is { IsOpen: true })
            {
                return connection;
            }

            await CloseAsync();
            return connection = await factory.CreateConnectionAsync(cancel);
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        gate.Dispose();
    }

    private async Task CloseAsync()
    {
        if (connection is { } old)
        {
            connection = null;
            await old.DisposeAsync();
        }
    }
}
