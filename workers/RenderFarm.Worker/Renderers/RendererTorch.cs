using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Torch;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Renderers;

/// <summary>
/// Which libtorch this host's renderers load: the one that a setting or <c>TORCH_LIB</c> names, else the renderer's own, and on a host
/// with cards, when that is built for the CPU, a PyTorch that is installed here. Decided once.
/// </summary>
internal sealed class RendererTorch
{
    /// <summary>What brings libraries for cards where none were found.</summary>
    public const string Remedy =
        "RENDERFARM_LIBTORCH=cuda ./farm up brings the CUDA libraries; or install PyTorch 2.10 or newer (pip install torch), or name one "
        + "in Torch:LibraryPath";

    public RendererTorch(
        IOptions<WorkerOptions> options,
        IOptions<TorchOptions> torch,
        SlotDiscovery slots,
        InstalledPyTorch installed,
        ILogger<RendererTorch> log
    )
    {
        var program = Path.GetDirectoryName(options.Value.RendererPath);
        var unasked = (program is null ? null : LibTorchFolder.Own(program)) ?? LibTorchFolder.OnLoadersPath;
        Folders =
            torch.Value.LibraryPath is { Length: > 0 } set ? string.Join(':', [set, .. new LibTorchFolder(set).CudaFolders])
            : Environment.GetEnvironmentVariable(LibTorchFolder.Variable) is { Length: > 0 } named ? named
            : null;
        if (Folders is not null || unasked is { HasCuda: true } || slots.Slots.All(slot => slot.Kind == SlotKind.Cpu))
        {
            return;
        }

        var (found, refused) = installed.Find();
        if (found is not null)
        {
            Folders = string.Join(':', [found.Path, .. found.CudaFolders]);
            log.PyTorchFound(found.Path, found.StatedVersion ?? "of no stated version");
            return;
        }

        Lack =
            $"this build of the renderer {(unasked is null ? "has no libtorch" : "computes on the CPU only")}, and there is no PyTorch for "
            + "CUDA on this host"
            + (refused.Count == 0 ? "" : $" ({string.Join("; ", refused)})");
        log.NoPyTorch(Lack, Remedy);
    }

    /// <summary>Separated by colons, for <see cref="LibTorchFolder.Variable"/>; null: the renderer's own.</summary>
    public string? Folders { get; }

    /// <summary>Why the cards of this host can't be used; null when nothing is known against it.</summary>
    public string? Lack { get; }
}
