namespace RenderFarm.Contracts.Leases;

/// <summary>
/// Which lease of which job, and the right to speak for it. The fence grows with every lease of a job, so of two leases the one with
/// the greater fence is the newer, and the only one that counts; where the database itself was taken back and gave a fence twice,
/// the token tells the two apart.
/// </summary>
/// <remarks>
/// Every signature that acts under a lease takes this value, and every report is stamped from it (<see cref="LeaseReport"/>). What only
/// names a lease (keys, folders, logs, messages) takes its <see cref="Name"/>.
/// </remarks>
public readonly record struct LeaseId(string JobId, long Fence, LeaseToken Token)
{
    public LeaseName Name => new(JobId, Fence, Token.Digest);

    /// <summary>That of its <see cref="Name"/>: the token is for no reader.</summary>
    public override string ToString() => Name.ToString();
}
