namespace RenderFarm.Inference.BlockStreaming;

/// <summary>A copy that may begin: this block's weights into this ring slot.</summary>
public readonly record struct SlotFill(int Block, int Slot);

/// <summary>
/// Which block is where, as a plain state machine: it knows nothing of memory, streams or devices.
/// <para>
/// N blocks, R of them resident, the other N − R streamed through a ring of S slots. Streamed blocks take the slots in
/// turn, and the turn runs on from one forward into the next: while the last blocks of a forward compute, the first ones
/// of the next are already on their way.
/// </para>
/// <para>
/// Mechanics: <see cref="Start"/> fills every slot; <see cref="Enter"/> says which slot holds the block about to run;
/// <see cref="Leave"/> frees that slot and says what to copy into it next.
/// Invariants: a slot is refilled only after its block was left; a block is entered only after it was assigned a slot;
/// with S ≥ 2 there is always one copy ahead of the block that runs.
/// </para>
/// </summary>
public sealed class BlockRing
{
    private readonly int[] _streamed; // Streamed blocks in the order they run
    private readonly int[] _turn; // Block → its place in _streamed, −1 when resident
    private readonly int[] _holds; // Slot → block
    private int _nextFill; // Turn of the next block to copy, counted without end
    private int _nextRun; // Turn of the next streamed block to run
    private int _entered = -1;

    /// <param name="blocks">N, at least 1.</param>
    /// <param name="resident">R, 0 to N.</param>
    /// <param name="slots">S, at least 1 when anything is streamed; more than there are streamed blocks is never of use.</param>
    public BlockRing(int blocks, int resident, int slots)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blocks, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(resident);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(resident, blocks);
        var streamed = blocks - resident;
        if (streamed > 0)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        }

        Slots = Math.Min(slots, streamed);
        _turn = new int[blocks];
        _streamed = new int[streamed];
        _holds = new int[Slots];
        // Streamed blocks are spread evenly, so that each copy has as much computing to hide behind as the next.
        for (int block = 0, turn = 0; block < blocks; block++)
        {
            var isStreamed = (long)(block + 1) * streamed / blocks > (long)block * streamed / blocks;
            _turn[block] = isStreamed ? turn : -1;
            if (isStreamed)
            {
                _streamed[turn++] = block;
            }
        }
    }

    public int Blocks => _turn.Length;

    public int Slots { get; }

    /// <summary>Blocks that stay on the device, in order.</summary>
    public IEnumerable<int> Resident => Enumerable.Range(0, Blocks).Where(IsResident);

    public bool IsResident(int block) => _turn[block] < 0;

    /// <summary>The copies to begin before the first forward: one for each slot. Call once.</summary>
    public IReadOnlyList<SlotFill> Start()
    {
        if (_nextFill > 0)
        {
            throw new InvalidOperationException("The ring was started already.");
        }

        var fills = new SlotFill[Slots];
        for (var slot = 0; slot < Slots; slot++)
        {
            fills[slot] = Fill(slot);
        }

        return fills;
    }

    /// <summary>The slot that holds the block; −1 for a resident one.</summary>
    public int Enter(int block)
    {
        if (_entered >= 0)
        {
            throw new InvalidOperationException($"Block {block} entered before block {_entered} was left.");
        }

        if (IsResident(block))
        {
            _entered = block;
            return -1;
        }
        var slot = _nextRun % Slots;
        if (_streamed[_nextRun % _streamed.Length] != block || _holds[slot] != block)
        {
            throw new InvalidOperationException(
                $"Block {block} entered out of order: block {_streamed[_nextRun % _streamed.Length]} is next in the ring."
            );
        }

        _entered = block;
        return slot;
    }

    /// <summary>The copy that may begin as soon as the work enqueued on the block is done; null for a resident block.</summary>
    public SlotFill? Leave(int block)
    {
        if (_entered != block)
        {
            throw new InvalidOperationException($"Block {block} left, but block {_entered} was entered.");
        }

        _entered = -1;
        return IsResident(block) ? null : Fill(_nextRun++ % Slots);
    }

    private SlotFill Fill(int slot)
    {
        var block = _streamed[_nextFill++ % _streamed.Length];
        _holds[slot] = block;
        return new SlotFill(block, slot);
    }
}
