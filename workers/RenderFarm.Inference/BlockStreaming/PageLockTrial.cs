using System.Diagnostics;
using System.Globalization;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>Which way a file in a folder can be page-locked here, and how fast the card is filled from it. Leaves nothing behind.</summary>
/// <param name="LockSeconds">What locking took.</param>
/// <param name="BytesPerSecond">Onto the card, the way that blocks go.</param>
public sealed record PageLockTrial(PageLocking Way, double LockSeconds, double BytesPerSecond)
{
    private const long BlockBytes = 32L << 20;
    private const int Blocks = 4;
    private const int Slots = 2;

    /// <summary>That it takes of the folder while it runs.</summary>
    public static long Bytes => BlockBytes * Blocks;

    /// <param name="folder">On the file system that is tried.</param>
    public static PageLockTrial Run(string folder)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"renderfarm-trial-{Guid.NewGuid():n}"));
        using var file = new FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                PreallocationSize = Bytes,
            }
        );
        File.Delete(path);
        using (var written = new MappedPages(file, Bytes, writable: true))
        {
            written.Fill(0x5A);
        }

        using var pages = new MappedPages(file, Bytes, writable: false);
        MappedPages? writable = null;
        try
        {
            var started = Stopwatch.GetTimestamp();
            var (held, way) = PageLock.Take(
                pages.Address,
                () => (writable = new MappedPages(file, Bytes, writable: true)).Address,
                Bytes
            );
            var locking = Stopwatch.GetElapsedTime(started).TotalSeconds;
            using (held)
            {
                var source = way == PageLocking.ReadWrite ? writable!.Address : pages.Address;
                Tensor[] slots = [.. Enumerable.Range(0, Slots).Select(_ => empty([BlockBytes], dtype: ScalarType.Byte, device: CUDA))];
                using IBlockCopier copier =
                    way == PageLocking.Staged
                        ? new StagedBlockCopier(source, BlockBytes, slots)
                        : new CudaBlockCopier(source, BlockBytes, slots);
                Copy(copier);
                started = Stopwatch.GetTimestamp();
                Copy(copier);
                var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
                foreach (var slot in slots)
                {
                    if (slot.min().item<byte>() != 0x5A || slot.max().item<byte>() != 0x5A)
                    {
                        throw new InvalidDataException($"what was copied to the card ({way}) is not what lay in the file");
                    }
                }

                return new PageLockTrial(way, locking, Bytes / seconds);
            }
        }
        finally
        {
            writable?.Dispose();
        }
    }

    private static void Copy(IBlockCopier copier)
    {
        for (var block = 0; block < Blocks; block++)
        {
            copier.Begin(block, block % Slots);
        }

        for (var slot = 0; slot < Slots; slot++)
        {
            copier.Await(slot);
            copier.Release(slot);
        }

        CudaDevice.Synchronize();
    }
}
