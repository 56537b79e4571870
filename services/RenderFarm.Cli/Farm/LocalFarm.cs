using System.Net.Http.Headers;
using System.Text.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Tls;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// API and worker on this machine, as two processes. The API comes first, because it writes the keys and the worker
/// reads them; the worker goes first, because it hands its job back to the API.
/// </summary>
internal sealed class LocalFarm : IAsyncDisposable
{
    /// <summary>A worker that got SIGTERM hands its job back and kills its renderer; together with the API this stays under 30 s.</summary>
    private static readonly TimeSpan WorkerGrace = TimeSpan.FromSeconds(18);
    private static readonly TimeSpan ApiGrace = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly FarmPrograms _programs;
    private readonly FarmSettings _settings;
    private readonly FarmHome _home;
    private readonly TimeProvider _time;

    private LocalFarm(FarmPrograms programs, FarmSettings settings, FarmHome home, TimeProvider time) =>
        (_programs, _settings, _home, _time) = (programs, settings, home, time);

    public ChildProgram Api { get; private set; } = null!;
    public ChildProgram Worker { get; private set; } = null!;
    public FarmSettings Settings => _settings;
    public FarmHome Home => _home;

    /// <exception cref="FarmException">One of the two died or did not answer in time; what was started is stopped again.</exception>
    public static async Task<LocalFarm> StartAsync(
        FarmPrograms programs,
        FarmSettings settings,
        FarmHome home,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var farm = new LocalFarm(programs, settings, home.Create(), time);
        try
        {
            await farm.StartApiAsync(cancellationToken);
            await farm.StartWorkerAsync(cancellationToken);
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public async Task StartApiAsync(CancellationToken cancellationToken)
    {
        Api = ChildProgram.Start("the API", _programs.Api, [], _settings.Api, Path.Combine(_home.Logs, "api.log"));
        await AwaitAnswerAsync(Api, $"{_settings.ApiUrl}/health/ready", cancellationToken);
    }

    public async Task StartWorkerAsync(CancellationToken cancellationToken)
    {
        var log = Path.Combine(_home.Logs, "worker.log");
        string[] hidden = ["Store__", "Artifacts__", JoinLine.Variable];
        Worker = ChildProgram.Start("the worker", _programs.Worker, [], _settings.Worker, log, hidden);
        // Ready means registered: from here on the API knows the worker's models.
        await AwaitAnswerAsync(Worker, $"{_settings.WorkerMetricsUrl}/health/ready", cancellationToken);
    }

    /// <summary>What the person at the terminal should know of the slots: why one takes no jobs, why none is a card.</summary>
    public async Task<IReadOnlyList<string>> NotesAsync(CancellationToken cancellationToken)
    {
        if (Worker.HasExited)
        {
            return []; // Supervision says why
        }

        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var answer = await http.GetStreamAsync(new Uri($"{_settings.WorkerMetricsUrl}/health"), cancellationToken);
            using var health = await JsonDocument.ParseAsync(answer, cancellationToken: cancellationToken);
            List<string> notes = [];
            if (health.RootElement.GetProperty("cardMissed").GetString() is { } missed)
            {
                notes.Add(missed);
            }

            foreach (var slot in health.RootElement.GetProperty("slots").EnumerateArray())
            {
                if (slot.GetProperty("quarantine").GetString() is { } reason)
                {
                    notes.Add($"{slot.GetProperty("id").GetString()} ({slot.GetProperty("card").GetString()}) takes no jobs: {reason}");
                }
            }

            return notes;
        }
        catch (Exception fault)
            when (fault is HttpRequestException || (fault is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return [$"the worker does not say how its slots are: {fault.Message}"];
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Worker is not null)
        {
            await Worker.StopAsync(WorkerGrace, _time);
            Worker.Dispose();
        }
        if (Api is not null)
        {
            await Api.StopAsync(ApiGrace, _time);
            Api.Dispose();
        }
    }

    private async Task AwaitAnswerAsync(ChildProgram program, string url, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { SslOptions = PinnedCertificate.ByFile(_settings.Listener.Tls?.Certificate) };
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(5) };
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        var began = _time.GetTimestamp();
        var last = "no answer";
        while (_time.GetElapsedTime(began) < StartTime)
        {
            if (program.HasExited)
            {
                if (program == Worker && program.ExitCode == WorkerExit.Refused)
                {
                    return; // A farm without a worker here is one all the same; see Supervision
                }

                throw program.Death("stopped while starting");
            }

            try
            {
                using var answer = await http.GetAsync(new Uri(url), cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }

                last = $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(cancellationToken)}";
            }
            catch (Exception error)
                when (error is HttpRequestException || (error is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                last = error.Message;
            }
            await Task.Delay(PollInterval, _time, cancellationToken);
        }
        throw new FarmException("not_ready", $"{program.Name} did not get ready at {url} within {StartTime.TotalSeconds:0} s ({last})")
        {
            Log = program.Log,
        };
    }
}
