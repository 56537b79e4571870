using Microsoft.Extensions.Options;
using RenderFarm.Contracts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Registration;

/// <summary>Who this worker is and what it has, in the API's words.</summary>
internal sealed class WorkerDescription(
    IOptions<WorkerOptions> options,
    WorkerIdentity identity,
    SlotDiscovery discovery,
    ModelCatalog catalog
)
{
    /// <summary>This start of the worker.</summary>
    public string Instance => identity.Instance;

    /// <summary>Whether two of them say different things, beside what stays the same for a start.</summary>
    public static bool Differ(RegisterWorkerRequest one, RegisterWorkerRequest? other) =>
        other is null
        || !one.Slots.SequenceEqual(other.Slots)
        || !one.Models.Select(model => model.Id).SequenceEqual(other.Models.Select(model => model.Id));

    public RegisterWorkerRequest Now() =>
        new()
        {
            Protocol = WorkerProtocol.Current,
            Identity = identity.Id,
            Instance = identity.Instance,
            Place = identity.Place,
            Name = options.Value.Name,
            Host = Environment.MachineName,
            Version = FarmVersion.Full,
            Slots = [.. discovery.Slots.Select(slot => slot.Description)],
            Models = [.. catalog.Models.Values.Select(model => model.Registration)],
        };
}
