namespace RenderFarm.Api.Keys;

/// <summary>A bucket that holds a minute's worth and fills steadily.</summary>
internal sealed class Bucket(TimeProvider time)
{
    private readonly Lock _gate = new();
    private double _left = double.NaN;
    private long _at;

    /// <summary>Takes one, where there is one.</summary>
    public Admission Take(int perMinute) => Look(perMinute, take: true);

    /// <summary>Whether there is one.</summary>
    public Admission Peek(int perMinute) => Look(perMinute, take: false);

    private Admission Look(int perMinute, bool take)
    {
        lock (_gate)
        {
            var perSecond = perMinute / 60.0;
            _left = double.IsNaN(_left) ? perMinute : Math.Min(perMinute, _left + (time.GetElapsedTime(_at).TotalSeconds * perSecond));
            _at = time.GetTimestamp();
            var admitted = _left >= 1;
            _left -= admitted && take ? 1 : 0;
            return new Admission(admitted, perMinute, (int)_left, TimeSpan.FromSeconds(_left >= 1 ? 0 : (1 - _left) / perSecond));
        }
    }
}

/// <param name="NextIn">When the next request will be taken.</param>
internal readonly record struct Admission(bool Admitted, int Limit, int Remaining, TimeSpan NextIn);
