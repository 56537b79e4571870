using RenderFarm.Cuda.Native;
using RenderFarm.Cuda.Ways;

namespace RenderFarm.Cuda.Memory;

/// <summary>How the pages of a mapped file are held for the card, the best first.</summary>
public enum PageLocking
{
    /// <summary>Mapped read-only and page-locked so: in a third of the time.</summary>
    ReadOnly,

    /// <summary>Mapped for writing, which nobody does: some drivers lock no other pages.</summary>
    ReadWrite,

    /// <summary>Not at all: blocks go through two small page-locked buffers.</summary>
    Staged,
}

/// <summary>Tries the ways of page-locking a mapped file, one after the other.</summary>
public static class PageLock
{
    /// <param name="readOnly">The address of the pages as they are mapped.</param>
    /// <param name="readWrite">Maps them for writing, and says where.</param>
    /// <param name="bytes">Of all pages.</param>
    /// <returns>Null where they can't be locked; out of memory is no refusal.</returns>
    public static (RegisteredMemory? Held, PageLocking Way) Take(nint readOnly, Func<nint> readWrite, long bytes)
    {
        ArgumentNullException.ThrowIfNull(readWrite);
        if (ForcedWay.StagedPages.IsForced)
        {
            return (null, PageLocking.Staged);
        }

        if (!ForcedWay.WritablePages.IsForced && TryRegister(readOnly, bytes, readOnly: true) is { } held)
        {
            return (held, PageLocking.ReadOnly);
        }

        return TryRegister(readWrite(), bytes, readOnly: false) is { } writable
            ? (writable, PageLocking.ReadWrite)
            : (null, PageLocking.Staged);
    }

    private static RegisteredMemory? TryRegister(nint address, long bytes, bool readOnly)
    {
        try
        {
            return RegisteredMemory.Register(address, bytes, readOnly);
        }
        catch (CudaException refused) when (!refused.IsOutOfMemory)
        {
            return null;
        }
    }
}
