using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// <c>RENDERFARM_ARITHMETIC_FAULT=conv2d/direct</c>: that way of that operation comes out a tenth too large, as on a processor that
/// gets it wrong. It is how a sound machine shows what happens on another; several are separated by commas.
/// </summary>
internal sealed class ForcedFault
{
    public const string Variable = "RENDERFARM_ARITHMETIC_FAULT";

    /// <summary>What was asked for; empty otherwise. Findings of such a process are kept apart.</summary>
    public static readonly string All = Environment.GetEnvironmentVariable(Variable) ?? "";

    private const double TooLarge = 1.1;
    private static readonly ForcedFault None = new(false);
    private static readonly ForcedFault Hit = new(true);
    private static readonly HashSet<string> Named = new(
        All.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        StringComparer.Ordinal
    );

    private readonly bool _forced;

    private ForcedFault(bool forced) => _forced = forced;

    public static ForcedFault Of(string operation, string way) => Named.Count > 0 && Named.Contains($"{operation}/{way}") ? Hit : None;

    /// <param name="result">Taken over.</param>
    public Tensor Onto(Tensor result)
    {
        if (!_forced)
        {
            return result;
        }
        using (result)
        {
            return result * TooLarge;
        }
    }
}
