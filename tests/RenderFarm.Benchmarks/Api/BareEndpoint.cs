using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// What ASP.NET Core and Npgsql take for one row by its key and a small answer: the yardstick for retrieve, in a process of its
/// own.
/// </summary>
internal sealed class BareEndpoint : IAsyncDisposable
{
    public const string Verb = "bare";
    private readonly FarmProcess _process;

    private BareEndpoint(FarmProcess process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    public static async Task<BareEndpoint> StartAsync(string connectionString, string folder)
    {
        var address = Path.Combine(folder, "bare.url");
        var process = FarmProcess.Start(
            Verb,
            Environment.ProcessPath!,
            [Verb, connectionString, address],
            new Dictionary<string, string>(),
            Path.Combine(folder, "bare.log")
        );
        await Eventually.TrueAsync(
            () => Task.FromResult(File.Exists(address)),
            TimeSpan.FromSeconds(30),
            "the bare endpoint to listen",
            CancellationToken.None
        );
        return new BareEndpoint(process, await File.ReadAllTextAsync(address));
    }

    /// <summary>Serves until it is ended.</summary>
    public static async Task<int> ServeAsync(string connectionString, string addressFile)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var app = builder.Build();
        app.MapGet(
            "/rows/{id}",
            async (string id) =>
            {
                await using var command = source.CreateCommand("SELECT id, model, state, spec, created_at FROM jobs WHERE id = $1");
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
                await using var reader = await command.ExecuteReaderAsync();
                return await reader.ReadAsync()
                    ? Results.Ok(
                        new Row(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetDateTime(4))
                    )
                    : Results.NotFound();
            }
        );
        await app.StartAsync();
        await File.WriteAllTextAsync(addressFile + ".part", app.Urls.Single());
        File.Move(addressFile + ".part", addressFile);
        await app.WaitForShutdownAsync();
        return 0;
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private sealed record Row(string Id, string Model, string State, string Spec, DateTime CreatedAt);
}
