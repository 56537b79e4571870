using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Testing;

namespace RenderFarm.Hosting.Tests.Loops;

public sealed class LoopSupervisorTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider _time = new();
    private readonly Meter _meter = new("loops under test");
    private readonly CancellationTokenSource _stop = new();
    private readonly FakeLogger<LoopSupervisor> _log = new();

    [Fact]
    public async Task Run_LoopThrowsWhateverItLikes_IsBegunAgainAndTheOthersGoOn()
    {
        var sick = new TrialLoop("sick", turn => turn <= 3 ? throw new InvalidCastException($"turn {turn}") : Task.CompletedTask);
        var sound = new TrialLoop("sound", _ => Task.CompletedTask);
        var supervisor = Supervisor();
        var running = supervisor.RunAsync([sick, sound], _stop.Token);

        await UntilAsync(() => supervisor.Degraded.Count == 1, "the sick one to be seen");
        var (loop, since, reason) = Assert.Single(supervisor.Degraded);
        Assert.Equal(("sick", "InvalidCastException: turn 1"), (loop, reason));
        await UntilAsync(() => Advanced(() => sick.Turns == 4), "three more turns");
        await UntilAsync(() => supervisor.Degraded.Count == 0, "it to be well");
        Assert.Equal(1, sound.Turns);
        Assert.False(running.IsCompleted);
        await UntilAsync(
            () => Logged().Any(line => line.Contains("Loop sick is well again", StringComparison.Ordinal)),
            "the log to say that it is well again"
        );
        await EndAsync(running);
    }

    [Fact]
    public async Task Run_LoopFailsOn_KeepsTheTimeOfTheFirstFailureAndPausesLonger()
    {
        var sick = new TrialLoop("sick", _ => throw new TimeoutException("no answer"));
        var supervisor = Supervisor();
        var running = supervisor.RunAsync([sick], _stop.Token);
        await UntilAsync(() => supervisor.Degraded.Count == 1, "the first failure");
        var since = supervisor.Degraded[0].Since;

        await UntilAsync(() => Advanced(() => sick.Turns >= 8), "eight turns");

        Assert.Equal(since, supervisor.Degraded[0].Since);
        // 0.5, 1, 2, 4 and then 5 seconds, each a quarter less at the least
        Assert.True(_time.GetUtcNow() - since > TimeSpan.FromSeconds(0.75 * (0.5 + 1 + 2 + 4 + 5 + 5 + 5)), $"{_time.GetUtcNow() - since}");
        Assert.Single(Logged(), line => line.Contains("sick", StringComparison.Ordinal));
        await EndAsync(running);
    }

    [Fact]
    public async Task Degraded_CauseNamesAFolder_IsShownWithoutIt()
    {
        var sick = new TrialLoop(
            "sick",
            _ => throw new UnauthorizedAccessException("Access to the path '/srv/farm/artifacts/videos' is denied.")
        );
        var supervisor = Supervisor();
        var running = supervisor.RunAsync([sick], _stop.Token);

        // It is shown first, and logged then
        await UntilAsync(() => Logged().Any(line => line.Contains("/srv/farm/artifacts/videos", StringComparison.Ordinal)), "the log");

        Assert.Equal("UnauthorizedAccessException: Access to the path '…/videos' is denied.", supervisor.Degraded[0].Reason);
        await EndAsync(running);
    }

    [Fact]
    public async Task Meter_OneOfTwoFails_ShowsOneForIt()
    {
        var supervisor = Supervisor();
        var running = supervisor.RunAsync(
            [new TrialLoop("sick", _ => throw new TimeoutException()), new TrialLoop("sound", _ => Task.CompletedTask)],
            _stop.Token
        );
        await UntilAsync(() => supervisor.Degraded.Count == 1, "the failure");

        var shown = new ConcurrentDictionary<string, int>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (ReferenceEquals(instrument.Meter, _meter))
            {
                to.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => shown[(string)tags[0].Value!] = value);
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.Equal([("sick", 1), ("sound", 0)], shown.Select(one => (one.Key, one.Value)).Order());
        await EndAsync(running);
    }

    [Fact]
    public async Task Run_LoopHasNothingToDo_MayEnd()
    {
        await Supervisor().RunAsync([new EndingLoop()], _stop.Token).WaitAsync(Soon, TestContext.Current.CancellationToken);
        Assert.Empty(Logged());
    }

    [Fact]
    public async Task Run_TwoOfOneName_IsRefusedAtTheStart() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Supervisor().RunAsync([new EndingLoop(), new EndingLoop()], _stop.Token)
        );

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
        _meter.Dispose();
    }

    private IReadOnlyList<string> Logged() =>
        [.. _log.Collector.GetSnapshot().Select(line => $"{line.Message} {line.Exception?.Message}")];

    private LoopSupervisor Supervisor() => new(_meter, ApiInstruments.LoopDegraded, _time, _log);

    private bool Advanced(Func<bool> isSo)
    {
        _time.Advance(TimeSpan.FromSeconds(0.1));
        return isSo();
    }

    private async Task EndAsync(Task running)
    {
        await _stop.CancelAsync();
        await running.WaitAsync(Soon, TestContext.Current.CancellationToken);
    }

    private static Task UntilAsync(Func<bool> isSo, string what) =>
        Eventually.TrueAsync(() => Task.FromResult(isSo()), Soon, what, TestContext.Current.CancellationToken);

    private sealed class TrialLoop(string name, Func<int, Task> turn) : ILoop
    {
        private int _turns;

        public string Name => name;

        public int Turns => Volatile.Read(ref _turns);

        public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
        {
            await turn(Interlocked.Increment(ref _turns));
            standing.Well();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
    }

    private sealed class EndingLoop : ILoop
    {
        public string Name => "ending";

        public Task RunAsync(LoopStanding standing, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
