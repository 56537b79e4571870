using System.CommandLine;
using System.Globalization;
using RenderFarm.Cli.Errands;
using RenderFarm.Cli.Farm;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Tls;
using RenderFarm.Verbs.Parsing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary><c>up</c>: a farm in the foreground until Ctrl-C or SIGTERM.</summary>
internal static class UpCommand
{
    private const int DefaultPort = 8080;

    public static Command Create(CommandRunner run, IAnsiConsole console, TimeProvider time, Func<IReadOnlyList<string>, int> launch)
    {
        var farm = new Option<bool>("--farm") { Description = "Run on PostgreSQL, RabbitMQ and S3 instead of the embedded stores" };
        var port = OptionKinds.Whole("--port", "Port of the API, where --listen names none", DefaultPort, 1, 65535);
        var listen = new Option<string?>("--listen")
        {
            Description = "Open the farm to a network: an address or name of this machine and a port, such as 0.0.0.0:8080",
        };
        var tls = new Option<string[]>("--tls")
        {
            Description = "CERT KEY: two PEM files; or auto: a certificate of the farm's own, which workers know by its digest",
            Arity = new ArgumentArity(1, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        var apiMetrics = MetricsPorts.OfApi("--metrics-port");
        var workerMetrics = MetricsPorts.OfWorker("--worker-metrics-port");
        var postgres = new Option<string?>("--postgres")
        {
            Description = "With --farm: Npgsql connection string (else Store__ConnectionString)",
        };
        var rabbit = new Option<string?>("--rabbitmq")
        {
            Description = "With --farm: amqp://user:password@host:port/vhost (else Bus__Uri)",
        };
        var s3 = new Option<string?>("--s3")
        {
            Description = "With --farm: http://accesskey:secret@host:port/bucket (else Artifacts__Endpoint, …)",
        };
        var command = new Command("up", "Run API and worker until Ctrl-C, with their data in RENDERFARM_HOME (else ~/.renderfarm)")
        {
            farm,
            port,
            listen,
            tls,
            apiMetrics,
            workerMetrics,
            postgres,
            rabbit,
            s3,
        }.WithExamples(
            "up",
            "up --listen 0.0.0.0:8080 --tls auto",
            "up --farm --postgres 'Host=db;Username=farm;Database=farm' --rabbitmq amqp://farm:secret@mq/ --s3 "
                + "http://key:secret@s3:9000/renderfarm"
        );
        run.Run(
            command,
            async (parsed, cancellationToken) =>
            {
                HomeLock.RequireFree(FarmHome.FromEnvironment());
                if (Readiness.Missing(parsed, needsFfmpeg: true, Environment.GetEnvironmentVariable) is { } missing)
                {
                    return launch(missing);
                }
                var services = parsed.GetValue(farm)
                    ? ServiceAddresses.From(
                        parsed.GetValue(postgres),
                        parsed.GetValue(rabbit),
                        parsed.GetValue(s3),
                        Environment.GetEnvironmentVariable
                    )
                    : null;
                var home = FarmHome.FromEnvironment().Create();
                return await RunAsync(
                    services,
                    FarmListener.Of(
                        parsed.GetValue(listen),
                        parsed.GetValue(port),
                        TlsFiles.Of(parsed.GetValue(tls), home, time),
                        parsed.GetResult(port) is { Implicit: false }
                    ),
                    (parsed.GetValue(apiMetrics), parsed.GetValue(workerMetrics)),
                    console,
                    time,
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(
        ServiceAddresses? services,
        FarmListener listener,
        (int? Api, int? Worker) metrics,
        IAnsiConsole console,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var home = FarmHome.FromEnvironment().Create();
        using var alone = HomeLock.Take(home, listener.OwnUrl);
        if (!LocalPorts.IsFree(listener.Port))
        {
            throw new FarmException(
                "port_in_use",
                $"something already listens on port {listener.Port} (a farm that is up?): stop it, or choose another with --port"
            );
        }

        var programs = FarmPrograms.Find();
        var logs = LogRotation.FromEnvironment();
        // Both have it as their default model, until the operator names another
        var model = await DemoModel.EnsureAsync(home, programs, console, cancellationToken);
        if (model.Note is { } note)
        {
            console.Say($"Note on the model demo: {note}");
        }

        FarmSettings settings;
        if (services is null)
        {
            settings = FarmSettings.Embedded(
                home,
                home,
                programs,
                listener,
                MetricsPorts.Choose("--worker-metrics-port", metrics.Worker, MetricsPorts.Worker, console)
            );
        }
        else
        {
            settings = FarmSettings.OnServices(
                home,
                programs,
                services,
                listener,
                MetricsPorts.Choose("--metrics-port", metrics.Api, MetricsPorts.Api, console),
                MetricsPorts.Choose("--worker-metrics-port", metrics.Worker, MetricsPorts.Worker, console)
            );
        }

        await using var farm = await LocalFarm.StartAsync(programs, settings, home, time, cancellationToken);
        new FarmHere(listener.OwnUrl, listener.Tls?.Certificate).Write(home);
        Announce(console, farm, services is null);
        await OfferPageAsync(console, farm, time, cancellationToken);
        foreach (var remark in await farm.NotesAsync(cancellationToken))
        {
            console.Say($"Note: {remark}");
        }

        try
        {
            await new Supervision(farm, logs, time, console.Say).RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            console.Say("Stopping …");
        }
        return 0;
    }

    private static void Announce(IAnsiConsole console, LocalFarm farm, bool embedded)
    {
        var settings = farm.Settings;
        console.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(embedded ? "Embedded farm" : "Farm on PostgreSQL, RabbitMQ and S3")} is up (API process {farm.Api.ProcessId}, worker "
                    + $"process {farm.Worker.ProcessId})."
            )
        );
        console.Say($"  API      {settings.ApiUrl}/v1");
        console.Say($"  see      {settings.ApiUrl}/scalar  {settings.ApiUrl}/openapi/v1.json  {settings.ApiUrl}/health/ready");
        if (settings.Listener.PublicUrl is { } open)
        {
            console.Say($"  network  {open}/v1  (./farm workers invite lets another machine in)");
            if (settings.Listener.IsPlainAndOpen)
            {
                console.Say("  WARNING  without TLS, keys and videos can be read on their way: --tls auto, or a proxy with TLS");
            }
        }

        var joined = Path.Combine(farm.Home.Worker, FarmHome.JoinedFileName);
        if (File.Exists(joined))
        {
            console.Say($"  worker   works for the farm that this machine has joined: {joined} names it");
        }

        foreach (var address in settings.MetricsAddresses)
        {
            console.Say($"  metrics  {address}");
        }

        console.Say($"  keys     {farm.Home.Keys}  (./farm keys show)");
        console.Say($"  logs     {farm.Home.Logs}");
    }

    /// <summary>The link is good once: whoever reads this terminal has the keys as well.</summary>
    private static async Task OfferPageAsync(IAnsiConsole console, LocalFarm farm, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new FarmClient(
                farm.Settings.ApiUrl,
                KeysFile.Read(farm.Home.Keys).AdminKey,
                time,
                farm.Settings.Listener.Tls is { } tls
                    ? new SocketsHttpHandler { SslOptions = PinnedCertificate.ByFile(tls.Certificate) }
                    : null
            );
            var link = await PageLink.AskAsync(client, cancellationToken);
            console.Say($"  page     {link}  (signs in once, within ten minutes; ./farm page makes another)");
            PageLink.Open(link);
        }
        catch (FarmException fault)
        {
            console.Say($"  page     {farm.Settings.ApiUrl}/  (no link to sign in by: {fault.Message})");
        }

        console.Say("Ctrl-C stops it.");
    }
}
