using System.Collections.Concurrent;
using RenderFarm.Inference.BlockStreaming;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.BlockStreaming;

public sealed class BlockFillerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Run_EveryBlock_IsWrittenOnce(int workers)
    {
        var written = new ConcurrentBag<int>();
        var threads = get_num_threads();

        Filler(workers).Run(20, written.Add);

        Assert.Equal(Enumerable.Range(0, 20), written.Order());
        Assert.Equal(threads, get_num_threads());
    }

    [Fact]
    public void Run_SeveralWorkers_WriteAtATime()
    {
        using var both = new Barrier(2);

        Filler(workers: 2).Run(2, _ => Assert.True(both.SignalAndWait(Patience)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Run_BlockThatFails_EndsWithItsOwnException(int workers)
    {
        var error = Assert.Throws<InvalidDataException>(() =>
            Filler(workers).Run(50, block => _ = block == 7 ? throw new InvalidDataException("block 7") : block)
        );
        Assert.Equal("block 7", error.Message);
    }

    [Fact]
    public void Run_AliveThatThrows_EndsItWhenNobodyWritesAnyMore()
    {
        const int More = 1_000_000_000; // Than are ever written while somebody looks whether to go on
        using var began = new ManualResetEventSlim();
        var (writing, blocks) = (0, 0L);
        void Alive()
        {
            if (began.IsSet)
            {
                throw new OperationCanceledException("cancelled");
            }
        }

        Assert.Throws<OperationCanceledException>(() =>
            new BlockFiller((_, _) => { }, workers: 2, Alive).Run(
                More,
                _ =>
                {
                    Interlocked.Increment(ref writing);
                    began.Set();
                    Interlocked.Increment(ref blocks);
                    Interlocked.Decrement(ref writing);
                }
            )
        );

        Assert.Equal(0, writing);
        Assert.InRange(blocks, 1, More - 1);
    }

    private static BlockFiller Filler(int workers) => new((_, _) => { }, workers);
}
