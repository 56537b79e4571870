using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Units;

namespace RenderFarm.Jobs.Workers;

/// <summary>Which classes of job a slot may be offered.</summary>
public static class VramClasses
{
    /// <summary>Cards report less than their name says, so a class begins below the name of the one before it.</summary>
    private const double ReportedShare = 0.85;

    /// <summary>
    /// Every class of which some job may fit into the free bytes: a class holds the jobs between the class below and
    /// itself, so the largest one is offered in part. A CPU slot is offered class 0 only.
    /// </summary>
    public static int[] Offered(SlotKind kind, long freeBytes)
    {
        if (kind == SlotKind.Cpu)
        {
            return [0];
        }

        var offered = new List<int> { 0 };
        for (var i = 1; i < Bells.Classes.Length; i++)
        {
            if (i == 1 || Bells.Classes[i - 1] * Gibibytes.One * ReportedShare < freeBytes)
            {
                offered.Add(Bells.Classes[i]);
            }
        }

        return [.. offered];
    }

    public static IEnumerable<int> UpTo(int largest) => Bells.Classes.Where(vramClass => vramClass <= largest);
}
