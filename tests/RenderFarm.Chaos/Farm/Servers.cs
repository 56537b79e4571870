using System.Diagnostics;
using System.Globalization;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Farm;

/// <summary>PostgreSQL (durable), RabbitMQ and S3 as private processes, each of which can be killed and started again.</summary>
internal sealed class Servers : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private readonly string _folder;

    private Servers(string folder, IReadOnlyDictionary<string, string> addresses)
    {
        _folder = folder;
        Postgres = addresses["RENDERFARM_TEST_POSTGRES"];
        Broker = new Uri(addresses["RENDERFARM_TEST_RABBITMQ"]);
        Storage = new Uri(addresses["RENDERFARM_TEST_S3"]);
    }

    /// <summary>Npgsql connection string to the server itself, not through a link.</summary>
    public string Postgres { get; }
    public Uri Broker { get; }
    public Uri Storage { get; }

    public static async Task<Servers> StartAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        await ScriptAsync(folder, ["start", folder, "--durable", "postgres", "rabbitmq", "s3"], cancellationToken);
        var addresses = File.ReadLines(Path.Combine(folder, "env"))
            .Select(line => line["export ".Length..].Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('\''));
        return new Servers(folder, addresses);
    }

    /// <summary>SIGKILL. Returns when the process is gone and buried.</summary>
    public async Task<int> KillAsync(string name, CancellationToken cancellationToken)
    {
        var id = int.Parse(
            await File.ReadAllTextAsync(Path.Combine(_folder, $"{name}.pid"), cancellationToken),
            CultureInfo.InvariantCulture
        );
        if (!Kernel.Signal(id, Kernel.Kill))
        {
            throw new InvalidOperationException($"{name} (process {id}) was not running");
        }

        await Kernel.ReapAsync(id, cancellationToken);
        return id;
    }

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
