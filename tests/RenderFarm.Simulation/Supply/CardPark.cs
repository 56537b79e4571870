using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;
using RenderFarm.Simulation.Cards;
using RenderFarm.Simulation.Demand;

namespace RenderFarm.Simulation.Supply;

/// <summary>All cards of the farm, those that wait for work, and what each may be offered.</summary>
internal sealed class CardPark
{
    private readonly Dictionary<(CardKind Kind, int Pool), List<Card>> _idle = [];
    private readonly Dictionary<CardKind, IReadOnlyList<(string Model, int VramClass, bool Needed, Elsewhere Elsewhere)>> _offers = [];

    public CardPark(IReadOnlyList<CardKind> kinds, int cards, IReadOnlyList<string> models, double spotShare, Random random)
    {
        var shares = kinds.Sum(kind => kind.Share);
        var made = new List<Card>(cards);
        double due = 0;
        foreach (var kind in kinds)
        {
            due += cards * kind.Share / shares;
            while (made.Count < (int)Math.Round(due))
            {
                made.Add(new Card(made.Count, kind, models, random.NextDouble() < spotShare));
            }
        }

        Cards = made;
        Fleet = LookAgain();
    }

    public IReadOnlyList<Card> Cards { get; }

    /// <summary>As it was when somebody last looked, as in the farm.</summary>
    public Fleet Fleet { get; private set; }

    public Fleet LookAgain()
    {
        Fleet = new Fleet(Cards.Where(card => card.IsThere).Select(card => card.Worker));
        _offers.Clear();
        return Fleet;
    }

    public void SetIdle(Card card, int pool)
    {
        if (!_idle.TryGetValue((card.Kind, pool), out var idle))
        {
            _idle[(card.Kind, pool)] = idle = [];
        }

        card.IdleAt = idle.Count;
        idle.Add(card);
    }

    public void SetBusy(Card card, int pool)
    {
        if (card.IdleAt < 0)
        {
            return;
        }

        var idle = _idle[(card.Kind, pool)];
        var last = idle[^1];
        idle[card.IdleAt] = last;
        last.IdleAt = card.IdleAt;
        idle.RemoveAt(idle.Count - 1);
        card.IdleAt = -1;
    }

    /// <summary>The bell is heard by all idle cards that could take the job; which of them asks first is chance.</summary>
    public Card? AnyIdleFor(VideoJob job, Random random, Func<int, bool> serves)
    {
        var lists = _idle
            .Where(idle =>
                idle.Value.Count > 0
                && idle.Key.Kind.FreeBytes >= job.Kind.Needs.LeastBytes
                && idle.Key.Kind.LargestClass >= job.Kind.Needs.VramClass
                && serves(idle.Key.Pool)
            )
            .Select(idle => idle.Value)
            .ToList();
        var at = random.Next(Math.Max(1, lists.Sum(idle => idle.Count)));
        foreach (var idle in lists)
        {
            if (at < idle.Count)
            {
                return idle[at];
            }

            at -= idle.Count;
        }

        return null;
    }

    /// <summary>What the farm would offer the card: the lines, and who else serves them. One answer for all of a kind.</summary>
    public SlotOffer OfferOf(Card card, double headStartSeconds, double leaseSeconds)
    {
        if (!_offers.TryGetValue(card.Kind, out var queues))
        {
            _offers[card.Kind] = queues =
            [
                .. VramClasses
                    .Offered(SlotKind.Cuda, card.Kind.FreeBytes)
                    .SelectMany(vramClass => card.Worker.Models.Select(model => new QueuePair(model, vramClass)))
                    .Select(queue =>
                        (
                            queue.Model,
                            queue.VramClass,
                            Fleet.Needs(card.Kind.Slot, queue),
                            Fleet.ElsewhereThan(card.Worker.Id, card.Kind.Slot.Id, queue)
                        )
                    ),
            ];
        }

        return new SlotOffer
        {
            WorkerId = card.Worker.Id,
            SlotId = card.Kind.Slot.Id,
            FreeBytes = card.Kind.FreeBytes,
            Queues = queues,
            CachedModels = card.CachedModel is { } cached ? [cached] : [],
            CachedHeadStartSeconds = headStartSeconds,
            LeaseSeconds = leaseSeconds,
        };
    }
}
