using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Farm;

/// <summary>An API or a worker: killed and started again as often as the plan says, always with the same name, port and folder.</summary>
internal sealed class FarmProgram(string name, string program, Func<IReadOnlyDictionary<string, string>> settings, Uri health, string log) : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private FarmProcess? _process;

    public string Name => name;
    public Uri Health => health;
    public string Log => log;

    /// <summary>The process that runs now.</summary>
    public int Id => _process?.Id ?? throw new InvalidOperationException($"{name} was never started");

    public int Starts { get; private set; }

    /// <summary>Returns when the program answers at all; whether it is ready is another matter while servers are down.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (_process is not null) await _process.DisposeAsync();
        _process = FarmProcess.Start(name, program, [], settings(), log);
        Starts++;
        await Eventually.TrueAsync(AnswersAsync, StartTime, $"{name} to answer at {health}: {_process.LastWords(10)}", cancellation);
    }

    public Task KillAsync() => _process!.KillAsync();

    /// <summary>True when it has ended without being told to.</summary>
    public bool HasDied => _process is { HasExited: true };

    public string LastWords => _process?.LastWords(30) ?? $"--- {name}: never started";

    public async Task<int> StopAsync() => await _process!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        Kernel.Signal(_process.Id, Kernel.Continue);
        await _process.DisposeAsync();
    }

    private async Task<bool> AnswersAsync()
    {
        if (_process!.HasExited)
            throw new InvalidOperationException($"{name} ended while starting: {_process.LastWords(15)}");
        try
        {
            using var answer = await Http.GetAsync(health);
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or System.Net.Sockets.SocketException or TaskCanceledException)
        {
            return false;
        }
    }
}
