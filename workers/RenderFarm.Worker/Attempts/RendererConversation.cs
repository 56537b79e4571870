using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Worker.Renderers;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The worker's side of the pipe protocol: one order out, reports in. Standard input stays open until the renderer has
/// ended, because its end tells a renderer that the worker is gone.
/// </summary>
internal sealed class RendererConversation(RendererProcess renderer, TimeProvider time)
{
    private long _lastHeard = time.GetTimestamp();

    /// <summary>A line that was no report; the renderer must not write such to its standard output.</summary>
    public string? StrayLine { get; private set; }

    public TimeSpan Silence => time.GetElapsedTime(Interlocked.Read(ref _lastHeard));

    public async Task OrderAsync(RenderOrder order)
    {
        try
        {
            await renderer.Child.Input.WriteLineAsync(JsonSerializer.Serialize(order, ContractsJson.Default.RenderOrder));
            await renderer.Child.Input.FlushAsync();
        }
        catch (IOException)
        {
            // It is dead already: the end of its reports and its exit code tell how
        }
    }

    /// <summary>Every report until the renderer closes its output.</summary>
    public async Task ListenAsync(Action<RendererReport> heard)
    {
        try
        {
            while (await renderer.NextLineAsync() is { } line)
            {
                Interlocked.Exchange(ref _lastHeard, time.GetTimestamp());
                if (RendererProcess.Parse(line) is { } report)
                {
                    heard(report);
                }
                else
                {
                    StrayLine = line.Length > 200 ? line[..200] : line;
                }
            }
        }
        catch (IOException)
        {
            // Torn down with the process: what came until then is what there is
        }
    }
}
