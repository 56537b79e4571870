using System.Globalization;
using TorchSharp;

namespace RenderFarm.Inference.SelfTests;

/// <summary>
/// This processor, as far as it decides which of a library's kernels run: its name, its instruction sets (a virtual machine may hide
/// some), and whether one thread computes or several.
/// </summary>
public static class ProcessorName
{
    private static readonly string[] Telling =
    [
        "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
        "CPU implementer", "CPU architecture", "CPU part", "CPU variant", "Features",
    ];

    /// <summary>What people call it.</summary>
    public static string Short => Fields().FirstOrDefault(one => one.Name == "model name").Value ?? "processor";

    public static string Whole
    {
        get
        {
            var all = string.Join('\n', Fields().Where(one => Telling.Contains(one.Name)).Select(one => $"{one.Name}={one.Value}"));
            var threads = torch.get_num_threads() > 1 ? "several threads" : "one thread";
            var limited = Environment.GetEnvironmentVariable("ONEDNN_MAX_CPU_ISA") is { Length: > 0 } isa ? $", {isa} at most" : "";
            return string.Create(CultureInfo.InvariantCulture, $"{Short} ({ShortDigest.Of(all)}), {threads}{limited}");
        }
    }

    /// <summary>Of the first of them.</summary>
    private static IEnumerable<(string Name, string Value)> Fields() =>
        File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo")
                .TakeWhile(line => line.Length > 0)
                .Select(line => line.Split(':', 2))
                .Where(parts => parts.Length == 2)
                .Select(parts => (parts[0].Trim(), parts[1].Trim()))
            : [];
}
