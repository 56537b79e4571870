namespace RenderFarm.Api.Workers;

/// <summary>The broker's users for workers, each of which hears bells and its own control queue and nothing else.</summary>
internal interface IWorkerBroker
{
    /// <summary>A new password each time. Null where workers have no broker, or it can't be asked now: they long-poll.</summary>
    Task<Uri?> AdmitAsync(string workerId, CancellationToken cancellationToken);

    /// <summary>The user is gone, and whatever connection it had; one that can't be removed now is removed later.</summary>
    Task RemoveAsync(string workerId, CancellationToken cancellationToken);
}

/// <summary>No broker, or none whose users the farm may make.</summary>
internal sealed class NoWorkerBroker : IWorkerBroker
{
    public Task<Uri?> AdmitAsync(string workerId, CancellationToken cancellationToken) => Task.FromResult<Uri?>(null);

    public Task RemoveAsync(string workerId, CancellationToken cancellationToken) => Task.CompletedTask;
}
