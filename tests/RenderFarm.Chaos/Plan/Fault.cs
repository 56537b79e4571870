using System.Globalization;

namespace RenderFarm.Chaos.Plan;

/// <summary>One planned fault.</summary>
/// <param name="At">Since the start of the run.</param>
/// <param name="Target">A process, a server or a link; empty for bells.</param>
/// <param name="Lasts">How long the target stays broken before it is mended; zero for faults without a duration.</param>
/// <param name="Size">Copies of each bell; the hour's sign of a skewed clock; 1 stops a worker with all its children.</param>
internal sealed record Fault(int Number, TimeSpan At, FaultKind Kind, string Target, TimeSpan Lasts, int Size)
{
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Number,4}  {At.TotalSeconds,8:0.00} s  {Kind,-19} {Target,-9} for {Lasts.TotalSeconds:0.00} s, {Size}"
        );
}
