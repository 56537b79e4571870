namespace RenderFarm.Testing.Farms;

/// <summary>PostgreSQL, RabbitMQ and S3 for one story: a database, a virtual host and a bucket of its own.</summary>
public sealed class FarmOnServices : IAsyncDisposable
{
    private FarmOnServices(PostgresDatabase database, BrokerVirtualHost host, CuttableProxy broker) =>
        (Database, Host, Broker) = (database, host, broker);

    public PostgresDatabase Database { get; }
    public BrokerVirtualHost Host { get; }

    /// <summary>Between the farm and the broker.</summary>
    public CuttableProxy Broker { get; }

    public FarmSetup Setup =>
        new()
        {
            Postgres = Database.ConnectionString,
            Broker = Broker.Through(Host.Address),
            S3 = TestServices.S3,
        };

    public static async Task<FarmOnServices> CreateAsync()
    {
        var s3 = TestServices.S3; // Skips before anything is made
        Assert.NotNull(s3);
        var database = await PostgresDatabase.CreateAsync();
        var host = await BrokerVirtualHost.CreateAsync();
        return new FarmOnServices(database, host, new CuttableProxy(host.Address.Host, host.Address.Port));
    }

    public async ValueTask DisposeAsync()
    {
        Broker.Dispose();
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }
}
