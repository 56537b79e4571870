using System.Security.Cryptography;
using System.Text;

namespace RenderFarm.Testing;

/// <summary>What a worker that is none registers with: one identity for each name, and always the same start.</summary>
public static class SimulatedWorker
{
    public const string Instance = "00000000000000000000000000000001";

    public static string IdentityOf(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..32];
}
