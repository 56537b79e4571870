namespace RenderFarm.Jobs.Keys;

/// <summary>How much a key may have at once and in a day; null is no limit.</summary>
public sealed record KeyLimits
{
    public static readonly KeyLimits None = new();

    /// <summary>Videos that wait. Checked at submit and at retry.</summary>
    public int? Queued { get; init; }

    /// <summary>Videos that hold a slot. Checked at the lease: the others wait.</summary>
    public int? Running { get; init; }

    /// <summary>Videos submitted between one midnight (UTC) and the next.</summary>
    public int? PerDay { get; init; }

    /// <summary>HTTP requests; the API's business.</summary>
    public int? RequestsPerMinute { get; init; }
}

/// <summary>What counts against <see cref="KeyLimits"/> now.</summary>
public sealed record KeyUsage(int Queued, int Running, int Today);

public enum Quota
{
    Queued,
    PerDay,
}

/// <summary>A submission would go past a limit of its key; nothing was stored.</summary>
/// <param name="frees">When there will be room again; null where nobody can tell.</param>
public sealed class QuotaExceededException(Quota quota, int limit, DateTimeOffset? frees)
    : Exception($"The key's limit of {limit} ({quota}) would be exceeded.")
{
    public Quota Quota { get; } = quota;
    public int Limit { get; } = limit;
    public DateTimeOffset? Frees { get; } = frees;
}
