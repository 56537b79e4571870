namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Brings the weights of streamed blocks into ring slots. Calls come from one thread, in the order the
/// <see cref="BlockRing"/> gives; the copier makes the order hold on the device.
/// </summary>
public interface IBlockCopier : IDisposable
{
    /// <summary>Begins a copy; it waits, on the device, for the slot's last <see cref="Release"/>.</summary>
    void Begin(int block, int slot);

    /// <summary>Work enqueued from now on runs after the slot's last copy is complete.</summary>
    void Await(int slot);

    /// <summary>All work that reads the slot has been enqueued.</summary>
    void Release(int slot);
}
