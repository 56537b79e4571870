using System.Diagnostics;
using System.Globalization;
using Npgsql;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Farm;

/// <summary>PostgreSQL (durable), RabbitMQ and S3 as private processes, each of which can be killed and started again.</summary>
internal sealed class Servers : IAsyncDisposable
{
    public const string PostgresName = "postgres";
    public const string BrokerName = "rabbitmq";
    public const string StorageName = "s3";
    private const string NoAddress = "none:/";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private readonly string _folder;

    private Servers(string folder, IReadOnlyDictionary<string, string> addresses)
    {
        _folder = folder;
        Postgres = addresses.GetValueOrDefault("RENDERFARM_TEST_POSTGRES", "");
        Broker = new Uri(addresses.GetValueOrDefault("RENDERFARM_TEST_RABBITMQ", NoAddress));
        Storage = new Uri(addresses.GetValueOrDefault("RENDERFARM_TEST_S3", NoAddress));
    }

    /// <summary>Npgsql connection string to the server itself, not through a link.</summary>
    public string Postgres { get; }
    public Uri Broker { get; }
    public Uri Storage { get; }

    public static Task<Servers> StartAsync(string folder, CancellationToken cancellationToken) =>
        StartAsync(folder, [PostgresName, BrokerName, StorageName], cancellationToken);

    /// <param name="names">Which of them; the addresses of the others are empty.</param>
    public static async Task<Servers> StartAsync(string folder, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await ScriptAsync(folder, ["start", folder, "--durable", .. names], cancellationToken);
        var addresses = File.ReadLines(Path.Combine(folder, "env"))
            .Select(line => line["export ".Length..].Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('\''));
        return new Servers(folder, addresses);
    }

    /// <summary>SIGKILL. Returns when the process is gone and buried.</summary>
    public async Task<int> KillAsync(string name, CancellationToken cancellationToken)
    {
        var id = await IdAsync(name, cancellationToken);
        if (!Kernel.Signal(id, Kernel.Kill))
        {
            throw new InvalidOperationException($"{name} (process {id}) was not running");
        }

        await Kernel.ReapAsync(id, cancellationToken);
        return id;
    }

    /// <summary>SIGSTOP to the server and all of its processes: connections stay, the kernel takes new ones, nothing is said.</summary>
    /// <returns>How many processes stand still.</returns>
    public Task<int> FreezeAsync(string name, CancellationToken cancellationToken) => SignalAllAsync(name, Kernel.Stop, cancellationToken);

    /// <summary>SIGCONT to the same.</summary>
    public Task<int> ThawAsync(string name, CancellationToken cancellationToken) =>
        SignalAllAsync(name, Kernel.Continue, cancellationToken);

    private async Task<int> SignalAllAsync(string name, int signal, CancellationToken cancellationToken)
    {
        var id = await IdAsync(name, cancellationToken);
        // The server first: what it would start meanwhile is not missed
        int[] all = [id, .. ProcessTable.Below(id).Select(process => process.Id)];
        return all.Count(process => Kernel.Signal(process, signal));
    }

    /// <summary>The broker thinks that it has no memory left, and takes nothing from whoever publishes.</summary>
    public async Task AlarmBrokerAsync(TimeSpan lasts, CancellationToken cancellationToken)
    {
        await WatermarkAsync(["0"], cancellationToken);
        try
        {
            await Task.Delay(lasts, TimeProvider.System, cancellationToken);
        }
        finally
        {
            await WatermarkAsync(["absolute", "1GB"], CancellationToken.None);
        }
    }

    /// <summary>A setting of the database for a while, and perhaps a session that holds the table of jobs meanwhile.</summary>
    /// <returns>How many sessions were ended, so that the setting counts.</returns>
    public async Task<long> SetDatabaseAsync(
        string setting,
        string value,
        bool lockTable,
        TimeSpan lasts,
        CancellationToken cancellationToken
    )
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(Postgres)
            {
                // This session is not to be bound by what it sets
                Options = "-c default_transaction_read_only=off -c statement_timeout=0",
                Pooling = false,
            }.ConnectionString
        );
        await using var session = await source.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(session, $"ALTER DATABASE {session.Database} SET {setting} = {value}", cancellationToken);
        try
        {
            var ended = await EndSessionsAsync(session, cancellationToken);
            await using var transaction = await session.BeginTransactionAsync(cancellationToken);
            if (lockTable)
            {
                await ExecuteAsync(session, "LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE", cancellationToken);
            }

            await Task.Delay(lasts, TimeProvider.System, cancellationToken);
            return ended;
        }
        finally
        {
            await ExecuteAsync(session, $"ALTER DATABASE {session.Database} RESET {setting}", CancellationToken.None);
            await EndSessionsAsync(session, CancellationToken.None);
        }
    }

    private static async Task<long> EndSessionsAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            session
        );
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private Task WatermarkAsync(string[] mark, CancellationToken cancellationToken) =>
        ScriptAsync(_folder, ["rabbitmqctl", _folder, "set_vm_memory_high_watermark", .. mark], cancellationToken);

    private async Task<int> IdAsync(string name, CancellationToken cancellationToken) =>
        int.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, $"{name}.pid"), cancellationToken), CultureInfo.InvariantCulture);

    /// <summary>The same server again: port and data as before. Returns when it answers.</summary>
    public Task StartAgainAsync(string name, bool wiped, CancellationToken cancellationToken) =>
        ScriptAsync(_folder, wiped ? ["again", _folder, name, "--wiped"] : ["again", _folder, name], cancellationToken);

    public async ValueTask DisposeAsync() => await ScriptAsync(_folder, ["stop", _folder], CancellationToken.None);

    private static async Task ScriptAsync(string folder, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        // The servers inherit what their script has open: a pipe from here would never end
        var log = Path.Combine(folder, "services.log");
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList =
            {
                "-c",
                "exec \"$@\" >> \"$SERVICES_LOG\" 2>&1 < /dev/null",
                "sh",
                Path.Combine(BuiltPrograms.Root, "deploy", "scripts", "services.sh"),
            },
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["SERVICES_LOG"] = log;
        using var script = Process.Start(start)!;
        await script.WaitForExitAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
        if (script.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"services.sh {string.Join(' ', arguments)} ended with {script.ExitCode}; the end of {log}: "
                    + $"{string.Join(Environment.NewLine, File.ReadLines(log).TakeLast(15))}"
            );
        }
    }
}
