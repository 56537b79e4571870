using Microsoft.Extensions.Time.Testing;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Events;

public sealed class JobSignalTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new();
    private readonly JobSignal _signal;

    public JobSignalTests() => _signal = new JobSignal(_time);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Raise_SeveralCouldRunIt_WakesTheSmallestCardOnly()
    {
        var large = _signal.WaitAsync(["demo"], 80, Long, Stop);
        var small = _signal.WaitAsync(["demo"], 24, Long, Stop);
        var tiny = _signal.WaitAsync(["demo"], 12, Long, Stop);
        var stranger = _signal.WaitAsync(["other"], 24, Long, Stop);

        _signal.Raise("demo", 16);
        Assert.True(await small);
        Assert.False(large.IsCompleted || tiny.IsCompleted || stranger.IsCompleted);
        _signal.Raise("demo", 16);
        Assert.True(await large);

        _time.Advance(Long);
        Assert.False(await tiny);
        Assert.False(await stranger);
    }

    [Fact]
    public async Task RaiseAll_Everybody_LooksForHimself()
    {
        var waiting = new[] { _signal.WaitAsync(["a"], 0, Long, Stop), _signal.WaitAsync(["b"], 80, Long, Stop) };
        _signal.RaiseAll();
        Assert.All(await Task.WhenAll(waiting), Assert.True);
    }
}

public sealed class PostgresSignalListenerTests() : FarmFacts(new PostgresStore())
{
    [Fact]
    public async Task RunAsync_JobTakenInByAnotherProcess_WakesThisOnesPoll()
    {
        // A second API process on the same database: its own signal, its own clock
        var signal = new JobSignal(TimeProvider.System);
        var announcer = new JobAnnouncer(signal);
        var listener = new PostgresSignalListener(Farm.Database,
            announcer,
            signal);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var connected = signal.WaitAsync(["demo"], 0, TimeSpan.FromSeconds(60), Stop);
        var listening = listener.KeepAsync(stopping.Token);
        Assert.True(await connected);

        var waiting = signal.WaitAsync(["demo"], 0, TimeSpan.FromSeconds(60), Stop);
        await Farm.SubmitAsync();
        Assert.True(await waiting);

        await stopping.CancelAsync();
        await listening;
    }
}
