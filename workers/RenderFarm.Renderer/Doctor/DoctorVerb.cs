using System.Globalization;
using RenderFarm.Contracts.Checks;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using RenderFarm.Cuda.Native;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Torch;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.SelfTests;
using RenderFarm.Renderer.Calibration;
using RenderFarm.Rendering.Hosting;
using TorchSharp;

namespace RenderFarm.Renderer.Doctor;

/// <summary>
/// <c>doctor --json</c>: whether libtorch loads here and computes right, and what it can do with the card it sees. Changes nothing.
/// </summary>
internal static class DoctorVerb
{
    private const int PinnedTrialBytes = 256 << 20;
    private const string LibTorchRemedy =
        "build with RENDERFARM_LIBTORCH=cpu or cuda, or name torch/lib of an installed PyTorch (2.10 or newer) in Torch:LibraryPath";

    public static int Run()
    {
        var checks = new List<HostCheck>();
        try
        {
            LibTorchLoader.Load();
            using (torch.zeros(1)) { }
            LibTorchLoader.RequireOne();
            checks.Add(HostCheck.Ok("libtorch", $"{LibTorchLoader.Describe()} computes on the CPU"));
            checks.Add(Arithmetic());
            checks.AddRange(Card());
        }
        catch (Exception e) when (IsOfLoading(e))
        {
            checks.Add(HostCheck.Lacks("libtorch", FirstLine(e.GetBaseException().Message), LibTorchRemedy));
        }
        checks.Add(LockedMemory());
        return DoctorReport.Write(Console.Out, checks);
    }

    private static bool IsOfLoading(Exception fault) =>
        fault
            is LibTorchException
                or DllNotFoundException
                or TypeInitializationException
                or NotSupportedException
                or FileNotFoundException;

    private static IEnumerable<HostCheck> Card()
    {
        if (!torch.cuda.is_available())
        {
            yield return HostCheck.Without(
                "cuda",
                "this libtorch sees no card",
                "where there is one: RENDERFARM_LIBTORCH=cuda, or Torch:LibraryPath, and a driver that is new enough for it"
            );
            yield break;
        }
        var (major, minor) = CudaDevice.ComputeCapability;
        yield return HostCheck.Ok("cuda", string.Create(CultureInfo.InvariantCulture, $"compute capability {major}.{minor}"));
        yield return major > 8 || (major == 8 && minor >= 9)
            ? HostCheck.Ok("fp8", "this card multiplies fp8; a calibration that ran it correctly lets plans use it")
            : HostCheck.Without("fp8", "this card has no fp8 products: weights may still be stored in eight bits");
        yield return Kernels();
        yield return Pinned();
        foreach (var way in PlatformWays.Try())
        {
            yield return way.IsUsual ? HostCheck.Ok(way.Subject, way.Finding) : HostCheck.Without(way.Subject, way.Finding);
        }
    }

    /// <summary>As it is kept; where this processor was never judged, judged now and not kept.</summary>
    private static HostCheck Arithmetic()
    {
        const string Subject = "arithmetic";
        var verdict = ProcessorArithmetic.Find(SelfTestFolder.OfThisUser()) ?? ProcessorArithmetic.Judge(SelfTestFolder.Nowhere);
        var faults = string.Join("; ", verdict.Faults);
        return verdict.Off > 0 ? HostCheck.Lacks(Subject, faults, "render on another host, or set Torch:LibraryPath to another libtorch")
            : faults.Length > 0
                ? HostCheck.Without(Subject, faults, "renders are right, and slower; another libtorch (Torch:LibraryPath) may do better")
            : HostCheck.Ok(Subject, $"{verdict.Findings.Count} operations agree with float64 on {ProcessorName.Short}");
    }

    /// <summary>What the last self-test of this card, driver and libtorch found.</summary>
    private static HostCheck Kernels()
    {
        const string Subject = "kernels";
        const string Remedy = "./farm bench gpu --part selftest, some minutes";
        return CardSelfTest.Key() is not { } key || SelfTestFolder.OfThisUser().Find(key) is not { } found
                ? HostCheck.Without(Subject, "not tested on this card with this driver and libtorch", Remedy)
            : found.Off > 0 ? HostCheck.Lacks(Subject, $"{found.Off} of {found.Findings.Count} are off: {found.Faults[0]}", Remedy)
            : HostCheck.Ok(Subject, $"{found.Findings.Count} cases agree with what defines them");
    }

    private static HostCheck Pinned()
    {
        try
        {
            using var memory = PinnedMemory.Allocate(PinnedTrialBytes);
            return HostCheck.Ok("pinned memory", $"{PinnedTrialBytes >> 20} MiB page-locked for a trial");
        }
        catch (CudaException e)
        {
            return HostCheck.Lacks(
                "pinned memory",
                e.Message,
                "raise the limit (ulimit -l unlimited, memlock in limits.conf, --ulimit memlock=-1 for a container): streamed blocks are "
                    + "copied from page-locked memory"
            );
        }
    }

    /// <summary>The driver is not bound by it everywhere, but containers with a low one often meet other limits as well.</summary>
    private static HostCheck LockedMemory()
    {
        const string Field = "Max locked memory";
        var line = File.Exists("/proc/self/limits")
            ? File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal))
            : null;
        var limit = line?[Field.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "unknown";
        return limit is "unlimited" or "unknown"
            ? HostCheck.Ok("locked memory", limit)
            : HostCheck.Without(
                "locked memory",
                long.TryParse(limit, out var bytes) ? $"limited to {bytes >> 20} MiB" : $"limited to {limit}",
                "ulimit -l unlimited, if page-locking weights fails on a card"
            );
    }

    private static string FirstLine(string text) => text.Split('\n')[0];
}
