using System.Net;
using System.Net.Sockets;
using Npgsql;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Observability.Tests.Servers;

/// <summary>Debian's exporter of PostgreSQL's figures.</summary>
internal sealed class PostgresExporter : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly FarmProcess _process;

    private PostgresExporter(TemporaryFolder folder, FarmProcess process, Uri address) =>
        (_folder, _process, Address) = (folder, process, address);

    public Uri Address { get; }

    public static PostgresExporter Start(string connection)
    {
        var folder = new TemporaryFolder();
        var to = new NpgsqlConnectionStringBuilder(connection);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var settings = new Dictionary<string, string>
        {
            ["DATA_SOURCE_NAME"] = $"postgresql://{to.Username}@{to.Host}:{to.Port}/{to.Database}?sslmode=disable",
        };
        var program = Program.Find("prometheus-postgres-exporter");
        var process = FarmProcess.Start(
            "postgres-exporter",
            program,
            [$"--web.listen-address=127.0.0.1:{port}"],
            settings,
            folder.File("exporter.log")
        );
        return new PostgresExporter(folder, process, new Uri($"http://127.0.0.1:{port}/metrics"));
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }
}
