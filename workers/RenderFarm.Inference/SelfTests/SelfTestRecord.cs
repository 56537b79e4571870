namespace RenderFarm.Inference.SelfTests;

/// <summary>What findings belong to: on another device, driver or libtorch, or by other code, they say nothing.</summary>
/// <param name="Device">The card's or the processor's name, with what else of it decides which kernels run.</param>
/// <param name="Driver">Empty for a processor.</param>
/// <param name="LibTorch">Version and build.</param>
/// <param name="Cases">The build of the cases.</param>
public sealed record SelfTestKey(string Device, string Driver, string LibTorch, string Cases)
{
    /// <summary>The build of the engine that cases and ways are part of.</summary>
    public static string Build { get; } = typeof(SelfTestKey).Module.ModuleVersionId.ToString("n");
}

/// <summary>The findings of one run of the self-test.</summary>
public sealed record SelfTestRecord(SelfTestKey Key, IReadOnlyList<CaseFinding> Findings)
{
    public int Off => Findings.Count(finding => !finding.Right);

    /// <summary>A sentence for each case whose usual way is wrong here, or that is wrong in every way.</summary>
    public IReadOnlyList<string> Faults => [.. Findings.Where(one => !one.Right || one.UsualWayIsOff).Select(one => one.Detail)];

    public CaseFinding Of(string name) => Findings.First(finding => finding.Case == name);
}
