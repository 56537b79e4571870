using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// The connection for plain messages: intake, events, notices. Bells and cancellations go through MassTransit, whose
/// envelopes only our own workers read.
/// </summary>
public sealed class BrokerConnection(BusOptions options) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly ConnectionFactory _factory = new()
    {
        Uri = new Uri(options.Uri),
        ClientProvidedName = "renderfarm-api",
        // Whoever uses a channel declares what it needs and begins anew: what has to be restored, he knows best.
        AutomaticRecoveryEnabled = false,
        RequestedHeartbeat = TimeSpan.FromSeconds(10),
        RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
    };

    private IConnection? _connection;

    /// <exception cref="BrokerUnreachableException">No broker, or it refuses.</exception>
    public async Task<IConnection> OpenAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_connection is { IsOpen: true })
            {
                return _connection;
            }

            await CloseAsync();
            return _connection = await _factory.CreateConnectionAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _gate.Dispose();
    }

    private async Task CloseAsync()
    {
        if (_connection is { } old)
        {
            _connection = null;
            await old.DisposeAsync();
        }
    }
}
