namespace RenderFarm.Simulation.Demand;

/// <summary>Jobs that one key sends at one moment.</summary>
internal sealed record Arrival(double At, IReadOnlyList<VideoJob> Jobs);

/// <summary>
/// Who asks for what, when. Keys are unlike: the first of two hundred asks for most (Zipf). Most requests are for one video and a few for
/// hundreds (Pareto). Evenings are busier than nights. Drawn from a seed, so the same for every queue that is tried.
/// </summary>
internal static class Arrivals
{
    private const int Keys = 200;
    private const double ZipfExponent = 1.1;
    private const double ParetoExponent = 1.3;
    private const int LargestBatch = 500;

    /// <summary>One key in so many may have only a few jobs on cards at once.</summary>
    private const int LimitedEvery = 20;

    private static readonly int[] Priorities = [50, 50, 50, 50, 50, 50, 50, 25, 50, 75];

    /// <param name="kinds">What may be asked for.</param>
    /// <param name="jobs">About so many in all.</param>
    /// <param name="seconds">From the first to the last.</param>
    /// <param name="daily">Busier and quieter, as the hours of a day; else even.</param>
    /// <param name="limit">Of jobs on cards at once, for the keys that have one.</param>
    /// <param name="random">Of the seed.</param>
    public static IReadOnlyList<Arrival> Draw(
        IReadOnlyList<VideoKind> kinds,
        int jobs,
        double seconds,
        bool daily,
        int limit,
        Random random
    )
    {
        var customers = Enumerable
            .Range(0, Keys)
            .Select(i => new Customer(i, i % LimitedEvery == LimitedEvery - 1 ? limit : null))
            .ToList();
        var who = new Weighted<Customer>(customers, customers.Select(customer => Math.Pow(customer.Number + 1, -ZipfExponent)));
        var what = customers.Select(_ => Taste(kinds, random)).ToList();
        var requests = Enumerable
            .Repeat(0, int.MaxValue)
            .Select(_ => BatchSize(random))
            .TakeWhile(Within(jobs))
            .Select(size => (At: Moment(seconds, daily, random), Size: size))
            .OrderBy(request => request.At)
            .ToList();
        var arrivals = new List<Arrival>(requests.Count);
        var number = 0;
        foreach (var (at, size) in requests)
        {
            var customer = who.Draw(random);
            var kind = what[customer.Number].Draw(random);
            var priority = Priorities[random.Next(Priorities.Length)];
            arrivals.Add(
                new Arrival(at, [.. Enumerable.Range(0, size).Select(_ => new VideoJob(number++, customer, kind, priority, at))])
            );
            customer.AskedSeconds += size * kind.Needs.EstimatedSeconds;
        }

        return arrivals;
    }

    private static Func<int, bool> Within(int jobs)
    {
        var left = jobs;
        return size => (left -= size) >= 0;
    }

    private static int BatchSize(Random random) =>
        (int)Math.Min(LargestBatch, Math.Pow(1 - random.NextDouble(), -1 / ParetoExponent));

    /// <summary>By rejection: the rate goes from four tenths of the most at night to the most twelve hours later.</summary>
    private static double Moment(double seconds, bool daily, Random random)
    {
        while (true)
        {
            var at = random.NextDouble() * seconds;
            if (!daily || random.NextDouble() < 0.7 - (0.3 * Math.Cos(2 * Math.PI * at / 86_400)))
            {
                return at;
            }
        }
    }

    /// <summary>Everybody likes some kinds more than others do.</summary>
    private static Weighted<VideoKind> Taste(IReadOnlyList<VideoKind> kinds, Random random) =>
        new(kinds, kinds.Select(kind => kind.Share * -Math.Log(1 - random.NextDouble())));
}

/// <summary>One of several, by weight.</summary>
internal sealed class Weighted<T>
{
    private readonly IReadOnlyList<T> _items;
    private readonly double[] _upTo;

    public Weighted(IReadOnlyList<T> items, IEnumerable<double> weights)
    {
        double sum = 0;
        (_items, _upTo) = (items, [.. weights.Select(weight => sum += weight)]);
    }

    public T Draw(Random random)
    {
        var at = Array.BinarySearch(_upTo, random.NextDouble() * _upTo[^1]);
        return _items[Math.Min(at < 0 ? ~at : at, _items.Count - 1)];
    }
}
