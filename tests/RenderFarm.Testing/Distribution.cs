namespace RenderFarm.Testing;

/// <summary>Many measurements of one thing.</summary>
public sealed class Distribution(IEnumerable<double> measured)
{
    private readonly double[] _sorted = [.. measured.Order()];

    public int Count => _sorted.Length;
    public double? P50 => At(0.5);
    public double? P90 => At(0.9);
    public double? P99 => At(0.99);
    public double? Max => At(1);

    /// <summary>
    /// The smallest measurement that at least this share of all don't exceed (nearest rank, so never rounded in the figure's
    /// favour); null without any.
    /// </summary>
    public double? At(double share) => Count == 0 ? null : _sorted[Math.Clamp((int)Math.Ceiling(share * Count) - 1, 0, Count - 1)];
}
