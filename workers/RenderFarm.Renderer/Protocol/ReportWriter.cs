using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Renderer.Process;

namespace RenderFarm.Renderer.Protocol;

/// <summary>Writes reports as JSON lines, each in one piece.</summary>
internal sealed class ReportWriter(int descriptor)
{
    private readonly Lock _gate = new();

    /// <exception cref="IOException">Nobody reads any more.</exception>
    public void Write(RendererReport report)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(report, ContractsJson.Default.RendererReport);
        var line = new byte[json.Length + 1];
        json.CopyTo(line, 0);
        line[^1] = (byte)'\n';
        lock (_gate)
        {
            var error = LibC.WriteAll(descriptor, line);
            if (error != 0)
            {
                throw new IOException($"the report could not be written: {Marshal.GetPInvokeErrorMessage(error)}");
            }
        }
        Debug.Assert(!json.AsSpan().Contains((byte)'\n'), "a report is one line");
    }
}
