namespace RenderFarm.Contracts.Units;

/// <summary>GiB: the unit of memory in settings, plans and words; everything else counts bytes.</summary>
public static class Gibibytes
{
    /// <summary>The bytes of one.</summary>
    public const long One = 1L << 30;

    public static long ToBytes(double gibibytes) => (long)(gibibytes * One);

    public static double Of(long bytes) => (double)bytes / One;
}
