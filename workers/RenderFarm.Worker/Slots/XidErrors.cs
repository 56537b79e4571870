using System.Globalization;

namespace RenderFarm.Worker.Slots;

/// <summary>What has to be done before a card that reported an error can be counted on.</summary>
internal enum XidRemedy
{
    /// <summary>The card goes on meanwhile: what has happened is dealt with for good at its next reset.</summary>
    ResetSoon,
    ResetCard,
    RestartHost,
    CheckPower,
}

/// <param name="Code">The number in the driver's <c>Xid</c> line.</param>
/// <param name="What">What NVIDIA calls it.</param>
internal sealed record XidError(long Code, string What, XidRemedy Remedy)
{
    /// <summary>What a renderer makes on that card from now on can't be trusted, or can't be made at all.</summary>
    public bool EndsItsJob => Remedy != XidRemedy.ResetSoon;

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"the driver reported Xid {Code} of this card ({What}): ")
        + Remedy switch
        {
            XidRemedy.ResetSoon => "reset it (nvidia-smi --gpu-reset) or restart the host",
            XidRemedy.ResetCard => "it must be reset (nvidia-smi --gpu-reset), or the host restarted",
            XidRemedy.RestartHost => "restart the host; if it comes again, have card, slot and power looked at",
            _ => "check its power cables and seat",
        }
        + ", then resume the slot";
}

/// <summary>
/// The errors by which a card takes no jobs until somebody has seen to it: those for which NVIDIA's catalogue orders a reset, a restart or
/// a look at the hardware. Source: "Analyzing Xid Errors with the Xid Catalog",
/// https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, column "Immediate Action", for Ampere and later.
/// </summary>
/// <remarks>
/// Memory that was remapped (63) and errors that stayed within one program (94) are in it although the card works on: a card on which they
/// show is the next to fail, and the reset that ends them needs it empty. Not in it: faults of a program (13, 31, 43, 45 and the like), and
/// errors of links (74, 144 to 150, 155) whose meaning hangs on bits that the event does not carry. 154 only sums up another one.
/// </remarks>
internal static class XidErrors
{
    private static readonly Dictionary<long, XidError> All = new XidError[]
    {
        new(46, "GPU stopped processing", XidRemedy.ResetCard),
        new(48, "double bit ECC error", XidRemedy.ResetCard),
        new(54, "auxiliary power is not connected", XidRemedy.CheckPower),
        new(62, "internal micro-controller halt", XidRemedy.ResetCard),
        new(63, "GPU memory remapping event", XidRemedy.ResetSoon),
        new(64, "GPU memory remapping failure", XidRemedy.ResetCard),
        new(79, "GPU has fallen off the bus", XidRemedy.RestartHost),
        new(94, "contained memory error", XidRemedy.ResetSoon),
        new(95, "uncontained memory error", XidRemedy.ResetCard),
        new(109, "context switch timeout", XidRemedy.ResetCard),
        new(110, "security fault", XidRemedy.ResetCard),
        new(119, "GSP RPC timeout", XidRemedy.ResetCard),
        new(120, "GSP error", XidRemedy.ResetCard),
        new(136, "link training failed", XidRemedy.ResetCard),
        new(140, "unrecovered ECC error", XidRemedy.ResetCard),
        new(143, "GPU initialization error", XidRemedy.ResetCard),
        new(156, "resource retirement event", XidRemedy.ResetCard),
        new(158, "GPU fatal timeout", XidRemedy.ResetCard),
    }.ToDictionary(error => error.Code);

    /// <summary>Null for what says nothing against the card.</summary>
    public static XidError? Find(long code) => All.GetValueOrDefault(code);
}
