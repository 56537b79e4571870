using System.Security.Cryptography;
using System.Text;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;

namespace RenderFarm.Testing;

/// <summary>What a worker that is none registers with: one identity for each name, and always the same start.</summary>
public static class SimulatedWorker
{
    public const string Instance = "00000000000000000000000000000001";

    public static string IdentityOf(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..32];

    /// <summary>Of a worker with one slot, which has these models.</summary>
    public static RegisterWorkerRequest Registration(string name, params IEnumerable<ModelShape> models) =>
        new()
        {
            Protocol = WorkerProtocol.Current,
            Identity = IdentityOf(name),
            Instance = Instance,
            Name = name,
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
            Models = [.. models.Select(shape => new ModelRegistration(shape.Id, shape, new Dictionary<string, string>()))],
        };
}
