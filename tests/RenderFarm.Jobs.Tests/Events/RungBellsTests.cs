using Microsoft.Extensions.Time.Testing;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Jobs.Tests.Events;

public sealed class RungBellsTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Holds_SameJobUnderANewerFence_IsAnotherBell()
    {
        var bells = new RungBells(_time);
        bells.Note(Job(1, fence: 0));

        Assert.True(bells.Holds(Job(1, fence: 0), Minute));
        Assert.False(bells.Holds(Job(1, fence: 1), Minute));
    }

    [Fact]
    public void Holds_RungAgain_CountsFromTheLastTime()
    {
        var bells = new RungBells(_time);
        bells.Note(Job(1));
        _time.Advance(Minute / 2);
        bells.Note(Job(1));
        _time.Advance(Minute * 0.75);

        Assert.True(bells.Holds(Job(1), Minute));
        _time.Advance(Minute / 2);
        Assert.False(bells.Holds(Job(1), Minute));
    }

    [Fact]
    public void Note_MoreThanAreKept_ForgetsTheOldestThatWereNotRungAgain()
    {
        var bells = new RungBells(_time);
        bells.Note(Job(1));
        bells.Note(Job(2));
        _time.Advance(TimeSpan.FromTicks(1));
        bells.Note(Job(1));
        for (var number = 3; number <= RungBells.Most; number++)
        {
            _time.Advance(TimeSpan.FromTicks(1));
            bells.Note(Job(number));
        }

        bells.Note(Job(RungBells.Most + 1));

        Assert.False(bells.Holds(Job(2), Minute));
        Assert.True(bells.Holds(Job(1), Minute));
        Assert.True(bells.Holds(Job(3), Minute));
        Assert.True(bells.Holds(Job(RungBells.Most + 1), Minute));
    }

    private static Announcement Job(int number, long fence = 0) => new($"video_{number}", fence, "demo", 0);
}
