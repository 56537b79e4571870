namespace RenderFarm.Chaos.Plan;

/// <summary>
/// The faults of a run, drawn from a seed and nothing else: the same seed gives the same plan. Kinds are dealt from
/// shuffled decks, so a short plan has every kind too. Faults overlap; what is broken already is not broken again before
/// it has had time to mend, and one worker of three is always left in peace, so that the farm can get on.
/// </summary>
internal static class FaultPlan
{
    public static readonly IReadOnlyList<string> Apis = ["api-1", "api-2"];
    public static readonly IReadOnlyList<string> Workers = ["worker-1", "worker-2", "worker-3"];

    /// <summary>Between clients and workers and the APIs; between everybody and each server.</summary>
    public static readonly IReadOnlyList<string> Links = ["front", "database", "broker", "storage"];

    private const int MostWorkersDown = 2;

    public static IReadOnlyList<Fault> Draw(int count, int seed, TimeSpan spacing)
    {
        var random = new Random(seed);
        var deck = new Queue<FaultKind>();
        var freeAt = new Dictionary<string, double>();
        var faults = new List<Fault>(count);
        var at = 0.0;
        while (faults.Count < count)
        {
            at += spacing.TotalSeconds * (0.4 + (1.2 * random.NextDouble()));
            if (deck.Count == 0)
            {
                Deal(deck, faults.Count == 0 ? 1 : int.MaxValue, random);
            }

            var kind = deck.Dequeue();
            var (lasts, mends, size) = Extent(kind, random);
            var free = Targets(kind).Where(target => freeAt.GetValueOrDefault(target) <= at).ToList();
            var workersDown = Workers.Count(worker => freeAt.GetValueOrDefault(worker) > at);
            if (free.Count == 0 || (free[0].StartsWith("worker", StringComparison.Ordinal) && workersDown >= MostWorkersDown))
            {
                deck.Enqueue(kind); // Its turn comes again, a little later
                continue;
            }
            var target = free[random.Next(free.Count)];
            freeAt[target] = at + lasts + mends;
            faults.Add(
                new Fault(
                    faults.Count + 1,
                    TimeSpan.FromSeconds(Math.Round(at, 2)),
                    kind,
                    target,
                    TimeSpan.FromSeconds(Math.Round(lasts, 2)),
                    size
                )
            );
        }
        return faults;
    }

    private static void Deal(Queue<FaultKind> deck, int most, Random random)
    {
        var cards = Enum.GetValues<FaultKind>().SelectMany(kind => Enumerable.Repeat(kind, Math.Min(most, Weight(kind)))).ToArray();
        random.Shuffle(cards);
        foreach (var card in cards)
        {
            deck.Enqueue(card);
        }
    }

    /// <summary>In a deck of 57. Broker and database take their host's time to come back, renderers don't.</summary>
    private static int Weight(FaultKind kind) =>
        kind switch
        {
            FaultKind.KillRenderer => 8,
            FaultKind.KillWorker => 7,
            FaultKind.KillApi => 6,
            FaultKind.DropConnections => 6,
            FaultKind.HalfOpenConnections => 4,
            FaultKind.DuplicateBells => 3,
            FaultKind.KillDatabase => 3,
            FaultKind.KillStorage => 3,
            FaultKind.KillBroker => 2,
            FaultKind.ReorderBells => 2,
            FaultKind.FillDisk => 2,
            FaultKind.StopWorker => 2,
            FaultKind.FreezeDatabase => 2,
            FaultKind.ReadOnlyDatabase => 1,
            FaultKind.LockTable => 1,
            FaultKind.AlarmBroker => 1,
            FaultKind.WipeBroker => 1,
            FaultKind.SkewClock => 1,
            FaultKind.TakeBackLease => 2,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "a kind of fault without a weight"),
        };

    private static IReadOnlyList<string> Targets(FaultKind kind) =>
        kind switch
        {
            FaultKind.KillApi => Apis,
            FaultKind.KillWorker or FaultKind.KillRenderer or FaultKind.StopWorker or FaultKind.FillDisk or FaultKind.SkewClock => Workers,
            FaultKind.TakeBackLease => Workers,
            FaultKind.KillBroker or FaultKind.WipeBroker or FaultKind.AlarmBroker => ["rabbitmq"],
            FaultKind.KillDatabase or FaultKind.FreezeDatabase or FaultKind.ReadOnlyDatabase or FaultKind.LockTable => ["postgres"],
            FaultKind.KillStorage => ["s3"],
            FaultKind.DropConnections or FaultKind.HalfOpenConnections => Links,
            FaultKind.DuplicateBells or FaultKind.ReorderBells => ["bells"],
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "a kind of fault without a target"),
        };

    /// <summary>Seconds broken, seconds to mend, and the size.</summary>
    private static (double Lasts, double Mends, int Size) Extent(FaultKind kind, Random random)
    {
        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
        return kind switch
        {
            FaultKind.KillApi => (Between(0, 6), 5, 0),
            FaultKind.KillWorker => (Between(0, 10), 4, 0),
            FaultKind.KillRenderer => (0, 2, 0),
            FaultKind.KillBroker => (Between(0, 15), 10, 0),
            FaultKind.WipeBroker => (Between(0, 5), 10, 0),
            FaultKind.KillDatabase => (Between(0, 8), 4, 0),
            FaultKind.KillStorage => (Between(0, 20), 3, 0),
            FaultKind.FreezeDatabase => (Between(3, 15), 4, 0),
            FaultKind.ReadOnlyDatabase => (Between(2, 10), 4, 0),
            FaultKind.LockTable => (Between(2, 10), 4, 0),
            FaultKind.AlarmBroker => (Between(5, 20), 4, 0),
            FaultKind.StopWorker => (Between(27, 40), 3, random.Next(2)),
            FaultKind.DropConnections => (0, 1, 0),
            FaultKind.HalfOpenConnections => (Between(5, 20), 1, 0),
            FaultKind.DuplicateBells => (0, 1, random.Next(2, 101)),
            FaultKind.ReorderBells => (0, 1, random.Next(2, 6)),
            FaultKind.FillDisk => (Between(3, 10), 2, 0),
            FaultKind.SkewClock => (0, 4, random.Next(2) == 0 ? -1 : 1),
            FaultKind.TakeBackLease => (0, 3, 0),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "a kind of fault without an extent"),
        };
    }
}
