using System.Security.Cryptography;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Cuda.Ways;
using RenderFarm.Tools.Bench.Renderers;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// Every way round what a platform may lack, forced on a card, in processes of its own: it is taken, it says so, what the start's check
/// computes comes out as it does without, and so does a job of the tiny model, whose blocks are all streamed.
/// </summary>
internal static class WaysPart
{
    public static void Run(FigureReport report)
    {
        var folder = Directory.CreateTempSubdirectory("farm-ways-").FullName;
        try
        {
            Compare(report, SmallOrder.In(folder, "cuda") with { FramePipe = Path.Combine(folder, "frames") });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compare(FigureReport report, RenderOrder order)
    {
        var usual = Probe(forced: null);
        report.Check("the card computes as it is", usual.Fault is null, usual.Fault ?? usual.Subject.Device);
        foreach (var way in usual.Ways)
        {
            report.Say($"  {way.Subject}: {way.Finding}");
        }

        var frames = Render(order, forced: null);
        report.Check("it renders", frames.Length == SHA256.HashSizeInBytes * 2, frames);
        foreach (var forced in ForcedWay.All)
        {
            var probe = Probe(forced);
            var said = probe.Ways.FirstOrDefault(way => way.Subject == forced.Subject);
            report.Check(
                $"{forced} is taken and said",
                said is { IsUsual: false },
                said?.Finding ?? probe.Fault ?? "nothing was said of it"
            );
            report.Check(
                $"{forced} computes as before",
                Faults(probe).SequenceEqual(Faults(usual)),
                Faults(probe).FirstOrDefault(fault => fault is not null) ?? "what the start's check computes is right"
            );
            var rendered = Render(order, forced);
            report.Check($"{forced} renders the same frames", rendered == frames, rendered);
        }
    }

    private static string?[] Faults(DeviceProbe probe) => [probe.Fault, probe.Fp8Fault, probe.Int8Fault, probe.EightBitAttentionFault];

    private static DeviceProbe Probe(ForcedWay? forced)
    {
        using var renderer = RendererProgram.Start(["probe", "--device", "cuda"], Variable(forced));
        renderer.StandardInput.Close();
        var answer = renderer.StandardOutput.ReadToEnd();
        renderer.WaitForExit();
        return renderer.ExitCode == 0
            ? JsonSerializer.Deserialize(answer, ContractsJson.Default.DeviceProbe)!
            : throw new VerbException($"{RendererProgram.File} probe ended with code {renderer.ExitCode} under '{forced}'");
    }

    /// <returns>The digest of all frames, or what went wrong.</returns>
    private static string Render(RenderOrder order, ForcedWay? forced)
    {
        File.WriteAllBytes(order.FramePipe, []);
        if (RendererRun.Of(order, Variable(forced)).Fault is { } fault)
        {
            return fault;
        }

        using var frames = File.OpenRead(order.FramePipe);
        return Convert.ToHexStringLower(SHA256.HashData(frames));
    }

    private static (string Name, string Value) Variable(ForcedWay? forced) => (ForcedWay.Variable, forced?.ToString() ?? "");
}
