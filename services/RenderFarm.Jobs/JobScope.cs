namespace RenderFarm.Jobs;

/// <summary>Whose jobs a caller may see.</summary>
public readonly record struct JobScope
{
    private JobScope(string? keyId) => KeyId = keyId;

    /// <summary>Null sees every key's jobs.</summary>
    public string? KeyId { get; }

    /// <summary>Operators: every key's jobs.</summary>
    public static JobScope All => new(null);

    public static JobScope OfKey(string keyId)
    {
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        return new JobScope(keyId);
    }
}
