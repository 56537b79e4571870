using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Renderer.Parity;

/// <summary>
/// <c>parity DIR [--device cpu|cuda]</c>: computes what golden files hold (weights <c>w.*</c>, inputs <c>in.*</c>, outputs
/// <c>out.*</c>, configuration in the metadata) and prints a line for every output. 0: all pass; 1: some fail, or there was
/// nothing to check; 2: wrong arguments.
/// </summary>
public static class ParityCommand
{
    private const string Usage = "usage: parity DIR [--device cpu|cuda]";

    public static int Run(string[] args, TextWriter output)
    {
        string? directory = null,
            deviceName = "cpu";
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--device" && i + 1 < args.Length)
            {
                deviceName = args[++i];
            }
            else if (directory is null && !args[i].StartsWith('-'))
            {
                directory = args[i];
            }
            else
            {
                return Wrong(output, $"'{args[i]}' is not understood");
            }
        }
        if (directory is null)
        {
            return Wrong(output, "a directory of golden files is needed");
        }

        if (deviceName is not ("cpu" or "cuda"))
        {
            return Wrong(output, $"--device is '{deviceName}'; cpu or cuda");
        }

        if (!Directory.Exists(directory))
        {
            return Wrong(output, $"there is no directory '{directory}'", code: 1);
        }

        if (deviceName == "cuda" && !cuda.is_available())
        {
            return Wrong(output, "--device cuda: no CUDA device, or libtorch has no CUDA", code: 1);
        }

        // float32 means float32: cuDNN would take TF32
        backends.cuda.matmul.allow_tf32 = false;
        backends.cudnn.allow_tf32 = false;
        return Run(directory, device(deviceName), output);
    }

    private static int Run(string directory, Device device, TextWriter output)
    {
        using var noGradients = no_grad();
        var report = new ParityReport(output, device.type == DeviceType.CUDA ? 1e-3 : 1e-4);
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

    private static int Wrong(TextWriter output, string what, int code = 2)
    {
        output.WriteLine($"parity: {what}");
        if (code == 2)
        {
            output.WriteLine(Usage);
        }

        return code;
    }
}
