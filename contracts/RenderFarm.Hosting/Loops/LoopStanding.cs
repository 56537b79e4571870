using System.Text.RegularExpressions;

namespace RenderFarm.Hosting.Loops;

/// <summary>How a loop fares.</summary>
public sealed partial class LoopStanding
{
    private const int LongestReason = 300;
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly Backoff _backoff;
    private readonly Action<DegradedLoop> _recovered;
    private DegradedLoop? _degraded;

    internal LoopStanding(string name, TimeSpan longestPause, TimeProvider time, Action<DegradedLoop> recovered)
    {
        (Name, _time, _recovered) = (name, time, recovered);
        _backoff = new Backoff(FirstPause.TotalSeconds, longestPause.TotalSeconds);
    }

    /// <summary>A blip is over sooner than anybody looks.</summary>
    internal static TimeSpan FirstPause { get; } = TimeSpan.FromSeconds(0.5);

    public string Name { get; }

    /// <summary>Null while all is well.</summary>
    public DegradedLoop? Degraded
    {
        get
        {
            lock (_gate)
            {
                return _degraded;
            }
        }
    }

    /// <summary>It has got through what it is there for, once more.</summary>
    public void Well()
    {
        DegradedLoop? before;
        lock (_gate)
        {
            (before, _degraded) = (_degraded, null);
            _backoff.Reset();
        }

        if (before is not null)
        {
            _recovered(before);
        }
    }

    /// <returns>How long to wait before the next try, and whether this is news.</returns>
    internal (TimeSpan Pause, bool IsNews) Failed(Exception fault)
    {
        var reason = ReasonOf(fault);
        lock (_gate)
        {
            var isNews = _degraded?.Reason != reason;
            _degraded = new DegradedLoop(Name, _degraded?.Since ?? _time.GetUtcNow(), reason);
            return (_backoff.Next(), isNews);
        }
    }

    /// <summary>For whoever asks for the health, who need have no key: where on this host something lies stays in the log.</summary>
    private static string ReasonOf(Exception fault)
    {
        var said = fault is IOutage outage ? outage.Cause : $"{fault.GetType().Name}: {fault.Message}";
        var reason = Folders().Replace(said.ReplaceLineEndings(" "), "…/");
        return reason.Length <= LongestReason ? reason : reason[..LongestReason] + "…";
    }

    [GeneratedRegex(@"(?<![\w/:])/(?:[^\s/'""]+/)+")]
    private static partial Regex Folders();
}

/// <summary>A loop that fails and is begun again and again.</summary>
/// <param name="Since">The first failure after it had last been well.</param>
public sealed record DegradedLoop(string Loop, DateTimeOffset Since, string Reason);
