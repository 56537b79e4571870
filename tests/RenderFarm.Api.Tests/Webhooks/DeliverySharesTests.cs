using Microsoft.Extensions.Time.Testing;
using RenderFarm.Api.Webhooks;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Tests.Webhooks;

public sealed class DeliverySharesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DeliveryShares _shares;

    public DeliverySharesTests() => _shares = new DeliveryShares(_time);

    [Fact]
    public void Take_LaneThatNeverAnswered_GetsOneAndThenItsShare()
    {
        var lane = new DeliveryLane("a", "host");
        Assert.Equal([(lane, 1)], _shares.Take([lane]));
        Assert.Empty(_shares.Take([lane]));

        _shares.Ended(lane, isAnswered: true);

        Assert.Equal([(lane, DeliveryShares.OfLane)], _shares.Take([lane]));
        Assert.Empty(_shares.Take([lane]));
    }

    [Fact]
    public void Take_LaneThatDoesNotAnswer_PausesLongerEachTimeAndThenGetsOne()
    {
        var lane = new DeliveryLane("a", "host");
        var pauses = new List<TimeSpan>();
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal([(lane, 1)], _shares.Take([lane]));
            _shares.Ended(lane, isAnswered: false);
            var began = _time.GetUtcNow();
            while (_shares.Take([lane]).Count == 0)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            _shares.GiveBack(lane, 1);
            pauses.Add(_time.GetUtcNow() - began);
        }

        Assert.InRange(pauses[0].TotalSeconds, 3, 8);
        Assert.InRange(pauses[3].TotalSeconds, 29, 52);
        Assert.InRange(pauses[7].TotalSeconds, 220, 380);
    }

    [Fact]
    public void Ended_SeveralAtOnceWithoutAnAnswer_CountAsOneFinding()
    {
        var lane = new DeliveryLane("a", "host");
        _shares.Take([lane]);
        _shares.Ended(lane, isAnswered: true);
        Assert.Equal(DeliveryShares.OfLane, Assert.Single(_shares.Take([lane])).Most);
        for (var i = 0; i < DeliveryShares.OfLane; i++)
        {
            _shares.Ended(lane, isAnswered: false);
        }

        _time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal([(lane, 1)], _shares.Take([lane]));
    }

    [Fact]
    public void Take_KeyWithAThousandHosts_LeavesTheOthersTheirRoom()
    {
        List<DeliveryLane> greedy = [.. Enumerable.Range(0, 1_000).Select(host => new DeliveryLane("a", $"host-{host}"))];
        var modest = new DeliveryLane("b", "host");

        var room = _shares.Take([.. greedy, modest]);

        Assert.Equal(DeliveryShares.OfKey, room.Where(one => one.Lane.KeyId == "a").Sum(one => one.Most));
        Assert.Contains((modest, 1), room);
    }

    [Fact]
    public void Take_AllRoomOfTheSilentTaken_LeavesSomeToWhoeverAnswers()
    {
        var good = new DeliveryLane("good", "host");
        _shares.Take([good]);
        _shares.Ended(good, isAnswered: true);
        List<DeliveryLane> dead = [.. Enumerable.Range(0, 1_000).Select(key => new DeliveryLane($"dead-{key}", "host"))];
        Assert.Equal(DeliveryShares.AtOnceOfTheSilent, _shares.Take(dead).Sum(one => one.Most));

        Assert.Equal([(good, DeliveryShares.OfLane)], _shares.Take([.. dead, good]));
    }
}
