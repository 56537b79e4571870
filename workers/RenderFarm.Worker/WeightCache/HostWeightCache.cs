using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Units;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.WeightCache;

/// <summary>
/// Prepared weights that outlive the renderers which made them, in shared memory, one folder a model. Renderers make, map
/// and remove them, by their own locks; this side says where, how much, and what is there.
/// </summary>
internal sealed class HostWeightCache(
    IOptions<WorkerOptions> options,
    RendererTorch torch,
    SlotDiscovery slots,
    FreeSpace disks,
    TimeProvider time,
    ILogger<HostWeightCache> log
)
{
    private const double DefaultPart = 0.7;
    private static readonly TimeSpan CheckPatience = TimeSpan.FromMinutes(5);

    /// <summary>Null: none is kept. A CPU renders from the checkpoint as it is and prepares nothing.</summary>
    private string? Root =>
        LimitBytes > 0 && slots.Slots.Any(slot => slot.Kind == SlotKind.Cuda) ? options.Value.WeightCacheDirectory : null;

    public long LimitBytes =>
        options.Value.WeightCacheGigabytes is { } gigabytes ? Gibibytes.ToBytes(gigabytes) : (long)(HostMemory.TotalBytes * DefaultPart);

    /// <summary>Where a renderer finds and leaves the weights of a model; null where the plan prepares none.</summary>
    public string? FolderOf(string model, RenderPlan plan) =>
        Root is { } root && plan.Precision != Precision.Fp32 ? Path.Combine(root, model) : null;

    /// <summary>Models of which prepared weights are here.</summary>
    public IReadOnlyList<string> Models =>
        Root is { } root && Directory.Exists(root)
            ?
            [
                .. Directory
                    .EnumerateDirectories(root)
                    .Where(model => Directory.EnumerateFiles(model, "*" + WeightCacheFiles.Complete).Any())
                    .Select(model => Path.GetFileName(model)),
            ]
            : [];

    /// <summary>Host memory that a plan's prepared weights may take: what is free, and what older ones hold and would give.</summary>
    public long RoomBytes
    {
        get
        {
            var free = options.Value.HostMemoryGigabytes is { } given ? Gibibytes.ToBytes(given) : HostMemory.AvailableBytes;
            if (Root is not { } root || !Directory.Exists(root))
            {
                return free;
            }

            var held = HeldBytes(root);
            var room = Math.Min(free, disks.BytesFor(root)) + held;
            return Math.Min(room, LimitBytes);
        }
    }

    /// <summary>
    /// Makes the folder, and has what a previous life left behind compared with its checksums; damaged weights are removed.
    /// </summary>
    /// <exception cref="WorkerSettingException">The folder can't be used.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (Root is not { } root)
        {
            return;
        }

        MakeFolder(root);
        if (HeldBytes(root) == 0)
        {
            return;
        }

        var started = time.GetTimestamp();
        using var check = ChildProcess.Start(
            options.Value.RendererPath,
            ["cache", "check", root, "--repair"],
            ChildEnvironment.ForRenderer(torch.Folders),
            Path.GetTempPath()
        );
        check.Input.Close();
        try
        {
            while (
                await check.Output.ReadLineAsync(cancellationToken).AsTask().WaitAsync(CheckPatience, time, cancellationToken) is { } line
            )
            {
                if (line.StartsWith("whole", StringComparison.Ordinal))
                {
                    log.WeightsWhole(line);
                }
                else
                {
                    log.WeightsDamaged(line);
                }
            }

            var code = await check.Exited.WaitAsync(CheckPatience, time, cancellationToken);
            if (code == 0)
            {
                log.WeightCacheChecked(root, time.GetElapsedTime(started).TotalSeconds, Models);
            }
            else
            {
                log.WeightCacheCheckFailed(root, code, check.Errors.LastLine);
            }
        }
        catch (TimeoutException)
        {
            log.WeightCacheCheckSilent(root);
        }
    }

    /// <summary>Only this user may write there: renderers compute with what lies in it.</summary>
    private static void MakeFolder(string root)
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        try
        {
            Directory.CreateDirectory(root, Private);
            if ((File.GetUnixFileMode(root) & Others) != 0)
            {
                throw new WorkerSettingException(
                    $"Worker:WeightCacheDirectory: others may write to {root}; make it private (chmod 700) or name another folder"
                );
            }

            File.WriteAllBytes(Path.Combine(root, ".writable"), []);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WorkerSettingException(
                $"Worker:WeightCacheDirectory: {root} can't be used ({fault.Message}); name another folder, or set "
                    + "Worker:WeightCacheGigabytes to 0"
            );
        }
    }

    private static long HeldBytes(string root) =>
        Directory
            .EnumerateDirectories(root)
            .SelectMany(model => new DirectoryInfo(model).EnumerateFiles("*" + WeightCacheFiles.Blocks))
            .Sum(file => file.Exists ? file.Length : 0);
}
