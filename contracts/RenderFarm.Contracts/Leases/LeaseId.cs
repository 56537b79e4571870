using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RenderFarm.Contracts.Leases;

/// <summary>
/// Which lease of which job. The fence grows with every lease of a job and never goes back, so of two leases the one with
/// the greater fence is the newer, and the only one that counts.
/// </summary>
/// <remarks>
/// Every signature that speaks of a lease takes this value, every report is stamped from it (<see cref="LeaseReport"/>), and
/// object keys are built from it by <c>ObjectKeys</c>: what else will tell one grant from another becomes a part of it here.
/// </remarks>
public readonly record struct LeaseId(string JobId, long Fence)
{
    /// <summary><c>video_0196…-7</c>: a file name as it is, and what logs say.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{JobId}-{Fence}");

    /// <summary>The text form read back; false for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out LeaseId lease)
    {
        // The fence is what follows the last dash: a job's id may hold dashes of its own
        var dash = text?.LastIndexOf('-') ?? -1;
        if (dash > 0 && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var fence))
        {
            lease = new LeaseId(text![..dash], fence);
            return true;
        }

        lease = default;
        return false;
    }

    /// <exception cref="FormatException">The text is not the text form of a lease.</exception>
    public static LeaseId Parse(string text) =>
        TryParse(text, out var lease)
            ? lease
            : throw new FormatException($"'{text}' does not name a lease: it must be a job's id, a dash and a fence, such as video_0196-7");
}
