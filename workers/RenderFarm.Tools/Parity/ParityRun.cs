using RenderFarm.Inference.Arithmetic;
using RenderFarm.Verbs.Parsing;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>parity DIR</c>: computes what golden files hold (weights <c>w.*</c>, inputs <c>in.*</c>, outputs <c>out.*</c>, configuration in
/// the metadata) and prints a line for every output. 0: all pass; 1: some fail, or there was nothing to check.
/// </summary>
internal static class ParityRun
{
    public static int Run(string directory, string deviceName, TextWriter output)
    {
        if (!Directory.Exists(directory))
        {
            throw new VerbException($"dir: there is no directory '{directory}'");
        }
        if (deviceName == "cuda" && !cuda.is_available())
        {
            throw new VerbException("--device is 'cuda': there is no CUDA device, or libtorch has no CUDA");
        }

        // Float32 means float32: cuDNN would take TF32.
        backends.cuda.matmul.allow_tf32 = false;
        backends.cudnn.allow_tf32 = false;
        return Run(directory, device(deviceName), output);
    }

    private static int Run(string directory, Device device, TextWriter output)
    {
        using var noGradients = no_grad();
        var report = new ParityReport(output, device.type == DeviceType.CUDA ? 1e-3 : 1e-4);
        foreach (var fault in ProcessorArithmetic.Verdict.Faults)
        {
            output.WriteLine($"arithmetic: {fault}");
        }

        foreach (var path in Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal))
        {
            if (ParityKinds.Of(path) is { } kind)
            {
                Check(kind, new ParityFile(path, device, report), report);
            }
            else if (ParityKinds.IsGoldenFile(path))
            {
                report.Skip(Path.GetFileName(path), "no kind has this name");
            }
        }
        return report.Summarise() ? 0 : 1;
    }

    private static void Check(ParityKind kind, ParityFile file, ParityReport report)
    {
        string? reason = null;
        var live = Tensor.TotalCount;
        try
        {
            using var scope = NewDisposeScope();
            kind.Check(file);
        }
        catch (Exception e)
        {
            reason = e.Message.ReplaceLineEndings(" ");
        }
        var open = file.OutputsOf().Where(name => !report.Has(file.Name, name)).ToList();
        foreach (var name in open)
        {
            report.Line(file.Name, name, reason ?? "was not computed", pass: false);
        }

        if (reason is not null && open.Count == 0)
        {
            report.Line(file.Name, "-", reason, pass: false);
        }

        if (reason is null && Tensor.TotalCount > live)
        {
            report.Line(file.Name, "-", $"{Tensor.TotalCount - live} tensors were left behind", pass: false);
        }
    }
}
