using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using RenderFarm.Cuda.Native;
using RenderFarm.Verbs.Parsing;
using TorchSharp;

namespace RenderFarm.Renderer.Doctor;

/// <summary><c>doctor --json</c>: whether libtorch loads here, and what it can do with the card it sees. Changes nothing.</summary>
internal static class DoctorVerb
{
    private const int PinnedTrialBytes = 256 << 20;
    private const string LibTorchRemedy =
        "build with RENDERFARM_LIBTORCH=cpu or cuda, or set Torch:LibraryPath to the lib folder of an installed PyTorch (2.10 or newer)";

    public static int Run()
    {
        var checks = new List<HostCheck>();
        try
        {
            using (torch.zeros(1)) { }
            checks.Add(HostCheck.Ok("libtorch", $"{torch.__version__} computes on the CPU"));
            checks.AddRange(Card());
        }
        catch (Exception e)
            when (e is DllNotFoundException or TypeInitializationException or NotSupportedException or FileNotFoundException)
        {
            checks.Add(HostCheck.Lacks("libtorch", FirstLine(e.GetBaseException().Message), LibTorchRemedy));
        }
        checks.Add(LockedMemory());
        Console.Out.WriteLine(JsonSerializer.Serialize([.. checks], ContractsJson.Default.HostCheckArray));
        return checks.Any(check => check.Result == HostCheckResult.Lacks) ? VerbProgram.Failed : VerbProgram.Done;
    }

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
        yield return Pinned();
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
                $"limited to {limit} bytes",
                "ulimit -l unlimited, if page-locking weights fails on a card"
            );
    }

    private static string FirstLine(string text) => text.Split('\n')[0];
}
