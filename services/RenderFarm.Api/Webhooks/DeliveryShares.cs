using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Webhooks;

/// <summary>
/// How many deliveries may be under way: in all, for a key, for a lane. A lane that has not answered yet, or not the last time, gets one
/// at a time, and pauses that grow in between; some of the room is kept from such lanes, so that they can't fill it.
/// </summary>
internal sealed class DeliveryShares(TimeProvider time)
{
    public const int AtOnce = 256;
    public const int AtOnceOfTheSilent = 192;
    public const int OfKey = 32;
    public const int OfLane = 8;
    private const int MostRemembered = 10_000;
    private const double FirstPauseSeconds = 5;
    private const double LongestPauseSeconds = 300;
    private readonly Lock _gate = new();
    private readonly Dictionary<DeliveryLane, Standing> _lanes = [];
    private readonly Dictionary<string, int> _ofKeys = new(StringComparer.Ordinal);
    private int _underWay;

    /// <summary>
    /// Room for deliveries that begin now, lane by lane and one after the other, so that the first does not have all of it. What it gives
    /// is taken until <see cref="Ended"/> or <see cref="GiveBack"/>.
    /// </summary>
    public IReadOnlyList<(DeliveryLane Lane, int Most)> Take(IReadOnlyList<DeliveryLane> due)
    {
        lock (_gate)
        {
            if (_lanes.Count > MostRemembered)
            {
                foreach (var lane in _lanes.Where(one => one.Value.UnderWay == 0 && !IsQuiet(one.Value)).Select(one => one.Key).ToList())
                {
                    _lanes.Remove(lane);
                }
            }

            var taken = new Dictionary<DeliveryLane, int>();
            for (var given = true; given;)
            {
                given = false;
                foreach (var lane in due.Where(HasRoom))
                {
                    Count(lane, 1);
                    taken[lane] = taken.GetValueOrDefault(lane) + 1;
                    given = true;
                }
            }

            return [.. taken.Select(one => (one.Key, one.Value))];
        }
    }

    /// <summary>Room that was not needed.</summary>
    public void GiveBack(DeliveryLane lane, int count)
    {
        lock (_gate)
        {
            Count(lane, -count);
        }
    }

    /// <param name="isAnswered">Somebody said something, be it a refusal.</param>
    public void Ended(DeliveryLane lane, bool isAnswered)
    {
        lock (_gate)
        {
            var standing = _lanes[lane];
            standing.Answers = isAnswered;
            if (isAnswered)
            {
                standing.Backoff.Reset();
                standing.QuietUntil = null;
            }
            else if (!IsQuiet(standing))
            {
                // Those that were under way together have found out the same thing
                standing.QuietUntil = time.GetUtcNow() + standing.Backoff.Next();
            }

            Count(lane, -1);
        }
    }

    private bool HasRoom(DeliveryLane lane)
    {
        var standing = _lanes.GetValueOrDefault(lane) ?? new Standing();
        var (inAll, ofLane) = standing.Answers ? (AtOnce, OfLane) : (AtOnceOfTheSilent, 1);
        return !IsQuiet(standing)
            && _underWay < inAll
            && standing.UnderWay < ofLane
            && _ofKeys.GetValueOrDefault(lane.KeyId) < OfKey;
    }

    private bool IsQuiet(Standing standing) => standing.QuietUntil > time.GetUtcNow();

    private void Count(DeliveryLane lane, int more)
    {
        if (!_lanes.TryGetValue(lane, out var standing))
        {
            _lanes[lane] = standing = new Standing();
        }

        standing.UnderWay += more;
        _underWay += more;
        _ofKeys[lane.KeyId] = _ofKeys.GetValueOrDefault(lane.KeyId) + more;
        if (_ofKeys[lane.KeyId] == 0)
        {
            _ofKeys.Remove(lane.KeyId);
        }
    }

    private sealed class Standing
    {
        public int UnderWay { get; set; }
        public bool Answers { get; set; }
        public DateTimeOffset? QuietUntil { get; set; }
        public Backoff Backoff { get; } = new(FirstPauseSeconds, LongestPauseSeconds);
    }
}
