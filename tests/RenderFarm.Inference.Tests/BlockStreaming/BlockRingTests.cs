using RenderFarm.Inference.BlockStreaming;

namespace RenderFarm.Inference.Tests.BlockStreaming;

public sealed class BlockRingTests
{
    /// <summary>Copies take as long as they like: a fill counts as done only when the block is entered (the wait on its event).</summary>
    [Fact]
    public void Ring_EverySizeOverSeveralForwards_KeepsItsInvariants()
    {
        for (var blocks = 1; blocks <= 9; blocks++)
        {
            for (var resident = 0; resident <= blocks; resident++)
            {
                for (var slots = 1; slots <= 5; slots++)
                {
                    Walk(blocks, resident, slots);
                }
            }
        }
    }

    [Theory]
    [InlineData(40, 0, 2)]
    [InlineData(40, 17, 2)]
    [InlineData(40, 39, 3)]
    [InlineData(40, 40, 2)]
    public void Ring_SizesOfRealModels_KeepsItsInvariants(int blocks, int resident, int slots) => Walk(blocks, resident, slots);

    [Fact]
    public void Resident_SomeStreamed_SpreadsStreamedBlocksEvenly()
    {
        var ring = new BlockRing(blocks: 12, resident: 8, slots: 2);
        var streamed = Enumerable.Range(0, 12).Where(block => !ring.IsResident(block)).ToArray();
        Assert.Equal([2, 5, 8, 11], streamed);
    }

    [Fact]
    public void Start_MoreSlotsThanStreamedBlocks_FillsEachOnce()
    {
        var ring = new BlockRing(blocks: 4, resident: 2, slots: 5);
        Assert.Equal(2, ring.Slots);
        Assert.Equal(2, ring.Start().Select(fill => fill.Block).Distinct().Count());
    }

    [Fact]
    public void Enter_BlockOutOfTurn_Throws()
    {
        var ring = new BlockRing(blocks: 4, resident: 0, slots: 2);
        ring.Start();
        Assert.Throws<InvalidOperationException>(() => ring.Enter(1));
    }

    [Fact]
    public void Enter_BeforeTheLastBlockWasLeft_Throws()
    {
        var ring = new BlockRing(blocks: 4, resident: 4, slots: 0);
        ring.Enter(0);
        Assert.Throws<InvalidOperationException>(() => ring.Enter(1));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(4, 5, 1)]
    [InlineData(4, -1, 1)]
    [InlineData(4, 2, 0)]
    public void Constructor_ImpossibleSizes_Throws(int blocks, int resident, int slots) =>
        Assert.ThrowsAny<ArgumentOutOfRangeException>(() => new BlockRing(blocks, resident, slots));

    private static void Walk(int blocks, int resident, int slots)
    {
        var ring = new BlockRing(blocks, resident, slots);
        Assert.Equal(resident, ring.Resident.Count());
        var holds = new int?[ring.Slots]; // What was copied last into each slot
        var inUse = new bool[ring.Slots]; // Entered and not left
        foreach (var fill in ring.Start())
        {
            Assert.Null(holds[fill.Slot]);
            holds[fill.Slot] = fill.Block;
        }
        for (var forward = 0; forward < 3; forward++)
        {
            for (var block = 0; block < blocks; block++)
            {
                var slot = ring.Enter(block);
                Assert.Equal(ring.IsResident(block), slot < 0);
                if (slot >= 0)
                {
                    Assert.Equal(block, holds[slot]);
                    inUse[slot] = true;
                    // With two slots or more, the next streamed block is already on its way
                    if (ring.Slots >= 2)
                    {
                        Assert.Contains(Next(ring, block), holds.OfType<int>());
                    }
                }
                if (slot >= 0)
                {
                    inUse[slot] = false;
                }

                if (ring.Leave(block) is not { } fill)
                {
                    continue;
                }

                Assert.False(inUse[fill.Slot]);
                Assert.False(ring.IsResident(fill.Block));
                holds[fill.Slot] = fill.Block;
            }
        }
    }

    private static int Next(BlockRing ring, int block)
    {
        do
        {
            block = (block + 1) % ring.Blocks;
        } while (ring.IsResident(block));
        return block;
    }
}
