using System.Collections.Concurrent;
using System.Net;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Farm;

/// <summary>An API or a worker: killed and started again as often as the plan says, always with the same name, port and folder.</summary>
internal sealed class FarmProgram(string name, string program, Func<IReadOnlyDictionary<string, string>> settings, Uri health, string log)
    : IAsyncDisposable
{
    /// <summary>On a machine whose every process is being killed and started again.</summary>
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(240);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private FarmProcess? _process;

    public string Name => name;
    public Uri Health => health;
    public string Log => log;

    /// <summary>The process that runs now.</summary>
    public int Id => _process?.Id ?? throw new InvalidOperationException($"{name} was never started");

    /// <summary>
    /// Returns when the program answers at all; whether it is ready is another matter while servers are down. One that ends
    /// instead is started again, as a host would, and is a breach.
    /// </summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (_process is not null)
            {
                await _process.DisposeAsync();
            }

            _process = FarmProcess.Start(name, program, [], settings(), log);
            var answers = await Eventually.ValueAsync(
                async () =>
                    _process.HasExited ? false
                    : await AnswerAsync(health) is not null ? true
                    : (bool?)null,
                seen => seen is not null,
                StartTime,
                $"{name} to answer at {health}: {_process.LastWords(10)}",
                cancellationToken
            );
            if (answers is true)
            {
                return;
            }

            Deaths.Enqueue($"{name} ended while starting: {LastWords}");
            if (TimeProvider.System.GetElapsedTime(began) > StartTime)
            {
                throw new InvalidOperationException(Deaths.Last());
            }
        }
    }

    /// <summary>Returns when it can do its work.</summary>
    public Task ReadyAsync(CancellationToken cancellationToken) =>
        Eventually.TrueAsync(
            async () => await AnswerAsync(new Uri(health, "ready")) == HttpStatusCode.OK,
            StartTime,
            $"{name} to be ready: {_process?.LastWords(10)}",
            cancellationToken
        );

    /// <summary>How it ended without having been killed.</summary>
    public ConcurrentQueue<string> Deaths { get; } = new();

    public Task KillAsync() => _process!.KillAsync();

    /// <summary>True when it has ended without being told to.</summary>
    public bool HasDied => _process is { HasExited: true };

    public string LastWords => _process?.LastWords(30) ?? $"--- {name}: never started";

    public async Task<int> StopAsync() => await _process!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
        {
            return;
        }

        Kernel.Signal(_process.Id, Kernel.Continue);
        await _process.DisposeAsync();
    }

    private static async Task<HttpStatusCode?> AnswerAsync(Uri address)
    {
        try
        {
            using var answer = await Http.GetAsync(address);
            return answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or System.Net.Sockets.SocketException or TaskCanceledException)
        {
            return null;
        }
    }
}
