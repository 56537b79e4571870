using System.Globalization;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Tools.Bench;

/// <summary>
/// Prepared weights in shared memory, from one job of a bench to the next: of one precision of one model at a time, since a bench goes
/// through more of them than a host holds.
/// </summary>
internal sealed class KeptWeights : IDisposable
{
    private readonly string _root = string.Create(CultureInfo.InvariantCulture, $"/dev/shm/renderfarm-bench-{Environment.ProcessId}-kept");
    private string? _folder;

    /// <returns>The folder for these; what was kept of others is gone.</returns>
    public string For(ModelShape shape, Precision precision)
    {
        // Stored and multiplied in the same eight bits, they are the same
        var kind = precision is Precision.Fp8 or Precision.Fp8Weights ? Precision.Fp8Weights : precision;
        var folder = Path.Combine(_root, $"{shape.Id}-{kind}");
        if (folder != _folder)
        {
            Dispose();
            Directory.CreateDirectory(folder);
            _folder = folder;
        }

        return folder;
    }

    public void Dispose()
    {
        if (Directory.Exists(_root))
        {
            Directory.Delete(_root, recursive: true);
        }
    }
}
