using System.Diagnostics.Metrics;

namespace RenderFarm.Hosting.Metrics;

/// <summary>A figure that a process of the farm shows: what dashboards and alerts find it by.</summary>
/// <param name="Name">Unlike every other figure's of the farm, whichever process shows it.</param>
/// <param name="Meaning">With the labels it is told apart by.</param>
/// <param name="Unit">In UCUM: <c>s</c>, <c>By</c>; null for a number of things.</param>
public sealed record Instrument(string Name, string Meaning, string? Unit = null)
{
    /// <summary>Upper bounds of a histogram's buckets, in the unit.</summary>
    public IReadOnlyList<double> Buckets { get; init; } = [];
}

/// <summary>Makes the instruments of a meter, so that no name is written beside its use.</summary>
public static class InstrumentMaking
{
    public static Counter<long> Counter(this Meter meter, Instrument of) =>
        Checked(meter).CreateCounter<long>(of.Name, of.Unit, of.Meaning);

    public static Histogram<double> Histogram(this Meter meter, Instrument of) =>
        Checked(meter).CreateHistogram(
            of.Name, of.Unit, of.Meaning, tags: null,
            of.Buckets.Count == 0 ? null : new InstrumentAdvice<double> { HistogramBucketBoundaries = of.Buckets });

    public static Gauge<long> Gauge(this Meter meter, Instrument of) =>
        Checked(meter).CreateGauge<long>(of.Name, of.Unit, of.Meaning);

    public static Gauge<double> Seconds(this Meter meter, Instrument of) =>
        Checked(meter).CreateGauge<double>(of.Name, of.Unit, of.Meaning);

    /// <summary>One value, asked for by whoever reads the figures.</summary>
    public static void Observe<T>(this Meter meter, Instrument of, Func<T> value)
        where T : struct =>
        Checked(meter).CreateObservableGauge(of.Name, value, of.Unit, of.Meaning);

    /// <summary>A value for each set of labels, asked for by whoever reads the figures.</summary>
    public static void Observe<T>(this Meter meter, Instrument of, Func<IEnumerable<Measurement<T>>> values)
        where T : struct =>
        Checked(meter).CreateObservableGauge(of.Name, values, of.Unit, of.Meaning);

    /// <summary>What has been counted elsewhere, for each set of labels.</summary>
    public static void Total(this Meter meter, Instrument of, Func<IEnumerable<Measurement<long>>> values) =>
        Checked(meter).CreateObservableCounter(of.Name, values, of.Unit, of.Meaning);

    private static Meter Checked(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        return meter;
    }
}
