using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Tools.Bench.Renderers;

/// <summary>Seconds of one job in a process of its own, by this side's clock.</summary>
/// <param name="Ready">From the start of the process.</param>
/// <param name="FirstStep">From the order.</param>
/// <param name="Work">From the order to the last report.</param>
/// <param name="Exit">From the last report until the process is gone.</param>
/// <param name="Fault">Null where it finished.</param>
internal sealed record RendererRun(double Ready, double FirstStep, double Work, double Exit, string? Fault)
{
    /// <param name="order">For the device of its plan.</param>
    /// <param name="variables">Of the process, beside this one's own.</param>
    public static RendererRun Of(RenderOrder order, params ReadOnlySpan<(string Name, string Value)> variables)
    {
        var clock = Stopwatch.StartNew();
        using var renderer = RendererProgram.Start(["render", "--device", order.Plan.Device], variables);
        double ready = 0;
        double first = 0;
        double ordered = 0;
        double finished = 0;
        string? fault = null;
        while (renderer.StandardOutput.ReadLine() is { } line)
        {
            var now = clock.Elapsed.TotalSeconds;
            switch (JsonSerializer.Deserialize(line, ContractsJson.Default.RendererReport))
            {
                case RendererReport.Ready:
                    ready = now;
                    renderer.StandardInput.WriteLine(JsonSerializer.Serialize(order, ContractsJson.Default.RenderOrder));
                    renderer.StandardInput.Flush();
                    ordered = clock.Elapsed.TotalSeconds;
                    break;
                case RendererReport.StageStarted { Stage: RenderStage.Denoising }:
                    first = now - ordered;
                    break;
                case RendererReport.Finished:
                    finished = now;
                    break;
                case RendererReport.Failed failed:
                    fault = $"{failed.Reason}: {failed.Message}";
                    break;
            }
        }
        renderer.WaitForExit();
        if (finished == 0)
        {
            fault ??= $"ended with code {renderer.ExitCode} and no result";
        }
        return new RendererRun(ready, first, finished - ordered, clock.Elapsed.TotalSeconds - finished, fault);
    }
}
