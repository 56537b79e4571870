namespace RenderFarm.Testing;

/// <summary>The real servers of this run, as <c>./farm test</c> starts them; a test that needs one it hasn't got is skipped.</summary>
public static class TestServices
{
    /// <summary>Npgsql connection string to the database <c>postgres</c>.</summary>
    public static string Postgres => Need("RENDERFARM_TEST_POSTGRES", "PostgreSQL");

    /// <summary><c>amqp://guest:guest@127.0.0.1:port</c>.</summary>
    public static Uri RabbitMq => new(Need("RENDERFARM_TEST_RABBITMQ", "RabbitMQ"));

    /// <summary><c>http://guest:guest@127.0.0.1:port</c> of the broker's management interface.</summary>
    public static Uri RabbitMqManagement => new(Need("RENDERFARM_TEST_RABBITMQ_MANAGEMENT", "RabbitMQ management"));

    /// <summary><c>http://127.0.0.1:port/metrics</c>, the broker's figures.</summary>
    public static Uri RabbitMqMetrics => new(Need("RENDERFARM_TEST_RABBITMQ_METRICS", "RabbitMQ metrics"));

    /// <summary><c>http://accesskey:secret@127.0.0.1:port</c>.</summary>
    public static Uri S3 => new(Need("RENDERFARM_TEST_S3", "S3"));

    private static string Need(string variable, string server)
    {
        var address = Environment.GetEnvironmentVariable(variable);
        Assert.SkipWhen(string.IsNullOrEmpty(address), $"no {server} server ({variable}): run ./farm test");
        return address!;
    }
}
