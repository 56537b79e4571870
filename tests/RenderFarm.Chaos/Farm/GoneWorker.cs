using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Farm;

/// <summary>A worker that registers and is not heard of again: the farm takes jobs for its model, and nobody renders them.</summary>
internal static class GoneWorker
{
    public static RegisterWorkerRequest With(ModelShape model) =>
        new()
        {
            Protocol = WorkerProtocol.Current,
            Identity = SimulatedWorker.IdentityOf("gone"),
            Instance = SimulatedWorker.Instance,
            Name = "gone",
            Host = "simulated",
            Version = "1",
            Slots =
            [
                new()
                {
                    Id = "cpu",
                    Kind = SlotKind.Cpu,
                    Card = "simulated",
                    TotalBytes = 8L << 30,
                },
            ],
            Models = [new(model.Id, model, new Dictionary<string, string>())],
        };
}
