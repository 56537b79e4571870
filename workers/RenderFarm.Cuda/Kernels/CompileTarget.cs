using System.Globalization;
using RenderFarm.Cuda.Native;
using RenderFarm.Cuda.Ways;

namespace RenderFarm.Cuda.Kernels;

/// <summary>
/// What kernels are compiled to: the card's own instructions, or, for a card that is newer than the run-time compiler, those of the newest
/// generation before it that the compiler knows, from which the driver makes the card's own.
/// </summary>
/// <param name="Architecture">90 is compute capability 9.0.</param>
/// <param name="IsPtx">The driver compiles the rest.</param>
public sealed record CompileTarget(int Architecture, bool IsPtx)
{
    /// <exception cref="NotSupportedException">The compiler knows no generation as old as this card's.</exception>
    public static CompileTarget OfCard()
    {
        var (major, minor) = CudaDevice.ComputeCapability;
        return Of(major * 10 + minor, Known(), ForcedWay.Ptx.IsForced);
    }

    /// <param name="card">The card's.</param>
    /// <param name="known">Those that the compiler knows.</param>
    /// <param name="forced">The card's own are not taken.</param>
    public static CompileTarget Of(int card, IReadOnlyCollection<int> known, bool forced)
    {
        ArgumentNullException.ThrowIfNull(known);
        if (!forced && known.Contains(card))
        {
            return new CompileTarget(card, IsPtx: false);
        }

        var before = known.Where(one => one <= card).ToList();
        return before.Count > 0
            ? new CompileTarget(before.Max(), IsPtx: true)
            : throw new NotSupportedException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"the run-time compiler knows no card as old as compute capability {card / 10}.{card % 10}"
                )
            );
    }

    /// <param name="specific">With instructions that belong to one generation alone.</param>
    public string Option(bool specific) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"--gpu-architecture={(IsPtx ? "compute" : "sm")}_{Architecture}{(specific ? "a" : "")}"
        );

    private static unsafe int[] Known()
    {
        Nvrtc.Check(Nvrtc.ArchitectureCount(out var count), "nvrtcGetNumSupportedArchs");
        var known = new int[count];
        fixed (int* numbers = known)
        {
            Nvrtc.Check(Nvrtc.Architectures(numbers), "nvrtcGetSupportedArchs");
        }

        return known;
    }
}
