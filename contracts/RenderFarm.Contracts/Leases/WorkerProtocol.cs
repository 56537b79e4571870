namespace RenderFarm.Contracts.Leases;

/// <summary>
/// Which <c>/worker/v1</c> a worker speaks. The number grows when a worker of before would misunderstand the API, or the API it; an API
/// goes on speaking the one before, so that API and workers need not be replaced in the same moment: the API first, then the workers.
/// </summary>
public static class WorkerProtocol
{
    /// <summary>
    /// 3: files go to the store by links that the API hands out. 2, when workers had keys of the store: leases have tokens, workers have
    /// identities. 1 said none of it, nor its number.
    /// </summary>
    public const int Current = 3;

    /// <summary>The oldest that this API serves.</summary>
    public const int Oldest = 2;
}
