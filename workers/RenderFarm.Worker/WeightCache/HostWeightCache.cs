using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Units;
using RenderFarm.Hosting.Folders;
using RenderFarm.Planning;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.WeightCache;

/// <summary>
/// Prepared weights that outlive the renderers which made them, one folder a model: in shared memory, or, where that is too small for a
/// model's, in files on a disk, whose pages are locked just so. Renderers make, map and remove them, by their own locks; this side says
/// where, how much, and what is there.
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

    /// <summary>The first choice first; none where none is kept. A CPU renders from the checkpoint as it is and prepares nothing.</summary>
    private IReadOnlyList<string> Roots =>
        LimitBytes <= 0 || slots.Slots.All(slot => slot.Kind == SlotKind.Cpu) ? []
        : options.Value.WeightFilesDirectory is { Length: > 0 } files ? [options.Value.WeightCacheDirectory, files]
        : [options.Value.WeightCacheDirectory];

    public long LimitBytes =>
        options.Value.WeightCacheGigabytes is { } gigabytes ? Gibibytes.ToBytes(gigabytes) : (long)(HostMemory.TotalBytes * DefaultPart);

    /// <summary>Where a renderer finds and leaves the weights of a model; null where the plan prepares none.</summary>
    public string? FolderOf(string model, RenderPlan plan)
    {
        if (Roots is not [var first, ..] roots || plan.Precision == Precision.Fp32)
        {
            return null;
        }

        var root = roots.FirstOrDefault(one => RoomIn(one) >= plan.HostBytes) ?? first;
        if (root != first)
        {
            log.WeightsOnDisk(model, Names.Gib(plan.HostBytes), first, Names.Gib(RoomIn(first)), root);
        }

        return Path.Combine(root, model);
    }

    /// <summary>Models of which prepared weights are here.</summary>
    public IReadOnlyList<string> Models =>
        [
            .. Roots
                .Where(Directory.Exists)
                .SelectMany(root => Directory.EnumerateDirectories(root))
                .Where(model => Directory.EnumerateFiles(model, "*" + WeightCacheFiles.Complete).Any())
                .Select(model => Path.GetFileName(model))
                .Distinct(StringComparer.Ordinal),
        ];

    /// <summary>What prepared weights take of this host.</summary>
    public long SizeBytes => Roots.Where(Directory.Exists).Sum(HeldBytes);

    /// <summary>Host memory that a plan's prepared weights may take: what is free, and what older ones hold and would give.</summary>
    public long RoomBytes => Roots is [] ? HostFreeBytes : Roots.Max(RoomIn);

    private long HostFreeBytes =>
        options.Value.HostMemoryGigabytes is { } given ? Gibibytes.ToBytes(given) : HostMemory.AvailableBytes;

    private long RoomIn(string root)
    {
        var held = Directory.Exists(root) ? HeldBytes(root) : 0;
        return Math.Min(Math.Min(HostFreeBytes, disks.BytesFor(root)) + held, LimitBytes);
    }

    /// <summary>
    /// Makes the folders, and has what a previous life left behind compared with its checksums; damaged weights are removed.
    /// </summary>
    /// <exception cref="WorkerSettingException">A folder can't be used.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (var root in Roots)
        {
            MakeFolder(root, root == options.Value.WeightCacheDirectory ? "WeightCacheDirectory" : "WeightFilesDirectory");
            await CheckAsync(root, cancellationToken);
        }
    }

    private async Task CheckAsync(string root, CancellationToken cancellationToken)
    {
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
    private static void MakeFolder(string root, string setting)
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        try
        {
            Directory.CreateDirectory(root, Private);
            if ((File.GetUnixFileMode(root) & Others) != 0)
            {
                throw new WorkerSettingException(
                    $"Worker:{setting}: others may write to {root}; make it private (chmod 700) or name another folder"
                );
            }

            File.WriteAllBytes(Path.Combine(root, ".writable"), []);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WorkerSettingException(
                $"Worker:{setting}: {root} can't be used ({fault.Message}); name another folder, or set "
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
