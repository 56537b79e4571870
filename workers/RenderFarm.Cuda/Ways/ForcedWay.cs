namespace RenderFarm.Cuda.Ways;

/// <summary>
/// A way round what a platform may lack that can be asked for: with <c>RENDERFARM_WAYS=page-lock=staged,allocator=native</c> it is gone on
/// a machine that lacks nothing. It is how a sound machine shows what happens on another.
/// </summary>
/// <param name="Subject">What may be lacking.</param>
/// <param name="Word">The way round it.</param>
public sealed record ForcedWay(string Subject, string Word)
{
    public const string Variable = "RENDERFARM_WAYS";

    /// <summary>Mappings can't be page-locked read-only.</summary>
    public static readonly ForcedWay WritablePages = new("page-lock", "read-write");

    /// <summary>Mappings can't be page-locked at all.</summary>
    public static readonly ForcedWay StagedPages = new("page-lock", "staged");

    /// <summary>The driver has no memory pools.</summary>
    public static readonly ForcedWay NativeAllocator = new("allocator", "native");

    /// <summary>The card is newer than the run-time compiler.</summary>
    public static readonly ForcedWay Ptx = new("kernels", "ptx");

    /// <summary>cuDNN's bf16 convolutions are wrong.</summary>
    public static readonly ForcedWay BrokenConvolutions = new("conv3d", "broken");

    /// <summary>They take far too long.</summary>
    public static readonly ForcedWay SlowConvolutions = new("conv3d", "slow");

    private static readonly string Asked = Environment.GetEnvironmentVariable(Variable) ?? "";

    private static readonly string[] Forced = Asked.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public static IReadOnlyList<ForcedWay> All { get; } =
        [WritablePages, StagedPages, NativeAllocator, Ptx, BrokenConvolutions, SlowConvolutions];

    /// <summary>Why what the variable says means nothing; null where it does.</summary>
    public static string? Misnamed => WhyNot(Forced);

    /// <summary>Asked for in this process.</summary>
    public bool IsForced => Forced.Contains(ToString(), StringComparer.Ordinal);

    /// <inheritdoc cref="Misnamed"/>
    public static string? WhyNot(IEnumerable<string> forced) =>
        forced.FirstOrDefault(one => All.All(way => way.ToString() != one)) is { } unknown
            ? $"{Variable} has '{unknown}': it must be some of {string.Join(", ", All)}, separated by commas"
            : null;

    /// <summary>As the variable has it.</summary>
    public override string ToString() => $"{Subject}={Word}";
}
