using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// How the blocks of a model are written: each by itself, as many at a time as their source and this process's cores allow.
/// </summary>
/// <param name="fill">Writes one block to the address given; called from several threads where there are several workers.</param>
/// <param name="workers">Blocks at a time.</param>
/// <param name="alive">Called again and again on the thread that waits; may throw to end the work.</param>
public sealed class BlockFiller(Action<int, nint> fill, int workers = 1, Action? alive = null)
{
    private const int LookEveryMilliseconds = 100;

    /// <summary>How many at a time are of use: as many as libtorch has threads here, if the source takes it.</summary>
    public static int WorkersFor(bool inParallel) => inParallel ? Math.Max(1, get_num_threads()) : 1;

    /// <summary>Writes one block to the address given.</summary>
    public void Fill(int block, nint address) => fill(block, address);

    /// <summary>Does it for every block.</summary>
    internal void Run(int blocks, Action<int> work)
    {
        if (workers <= 1 || blocks <= 1)
        {
            for (var block = 0; block < blocks; block++)
            {
                work(block);
                alive?.Invoke();
            }

            return;
        }

        // Each block keeps to its own core: threads of threads would get in each other's way
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            RunBeside(blocks, work);
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private void RunBeside(int blocks, Action<int> work)
    {
        using var stop = new CancellationTokenSource();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Min(workers, blocks), CancellationToken = stop.Token };
        var all = Task.Run(
            () =>
                Parallel.For(
                    0,
                    blocks,
                    options,
                    block =>
                    {
                        using var noGradients = no_grad(); // A thread's own switch
                        work(block);
                    }
                ),
            CancellationToken.None
        );
        try
        {
            while (Task.WaitAny([all], LookEveryMilliseconds, CancellationToken.None) < 0)
            {
                alive?.Invoke();
            }
        }
        catch
        {
            stop.Cancel();
            Task.WaitAny([all], Timeout.Infinite, CancellationToken.None); // They write into memory that goes next
            throw;
        }

        if (all.Exception is { } failed)
        {
            ExceptionDispatchInfo.Throw(failed.Flatten().InnerExceptions[0]);
        }
    }
}
