using RenderFarm.Jobs.Forecasts;

namespace RenderFarm.Jobs.Tests.Forecasts;

public sealed class StartTimesTests
{
    [Fact]
    public void After_OneBusySlot_EachWaitsForAllBefore()
    {
        var starts = new StartTimes([new SlotTime("card", FreeIn: 5, Factor: 2)]);
        Assert.Equal(65, starts.After(2, [10, 20]).In);
        Assert.Equal(5, starts.After(0, [10, 20]).In);
        // Another has joined at the end
        Assert.Equal(75, starts.After(3, [10, 20, 5]).In);
    }

    [Fact]
    public void After_UnlikeSlots_EachJobGoesToTheOneThatIsFreeFirst()
    {
        var starts = new StartTimes([new SlotTime("slow", 0, 3), new SlotTime("fast", 1, 1)]);
        List<(string, double)> expected = [("slow", 0), ("fast", 1), ("fast", 11), ("fast", 21), ("slow", 30)];
        Assert.Equal(
            expected,
            Enumerable.Range(0, 5).Select(jobs => starts.After(jobs, [10, 10, 10, 10])).Select(start => (start.On.Card, start.In))
        );
    }

    [Fact]
    public void After_NothingWaits_TheFirstBeginsWhenASlotIsFree() =>
        Assert.Equal(
            ("b", 7),
            new StartTimes([new SlotTime("a", 9, 1), new SlotTime("b", 7, 1)]).After(0, []) is var (at, on) ? (on.Card, at) : default
        );
}

public sealed class MeasuredTimesTests
{
    [Fact]
    public void Of_KindWasMeasured_IsItsMedianAndNotThatOfOthers()
    {
        var times = new MeasuredTimes([("a", 1), ("a", 9), ("b", 40), ("a", 2)]);
        Assert.Equal(2, times.Of("a"));
        Assert.Equal(40, times.Of("b"));
        Assert.Equal(9, times.Of("never"));
        Assert.Null(new MeasuredTimes([]).Of("a"));
    }

    [Fact]
    public void Of_CardHasBecomeFaster_IsForgottenAfterTwentyRenders() =>
        Assert.Equal(1, new MeasuredTimes([.. Enumerable.Repeat(("a", 1.0), 20), .. Enumerable.Repeat(("a", 5.0), 80)]).Of("a"));
}
