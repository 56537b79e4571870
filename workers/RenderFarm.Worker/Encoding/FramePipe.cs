using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RenderFarm.Worker.Encoding;

/// <summary>
/// The FIFO between renderer and encoder.
/// </summary>
/// <remarks>
/// The worker keeps a writing end of its own until the renderer has written its last frame, or ended. So the encoder's open
/// never waits for a renderer that may not come; the encoder sees the end of input when renderer <em>and</em> worker have let go, which
/// they do by dying, too; and with the encoder gone nobody reads, so the renderer's write fails instead of waiting.
/// The encoder opens the FIFO by <see cref="ReaderPath"/>, through the worker's own end: an encoder that comes too late,
/// with that end closed, finds nothing there instead of waiting for a writer for ever.
/// </remarks>
internal sealed partial class FramePipe : IDisposable
{
    private const uint OwnerReadWrite = 0x180; // 0600
    private const int WriteOnly = 1;
    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;
    private const int BrokenPipe = 32;
    private const int Interrupted = 4;
    private readonly SafeFileHandle _writer;

    private FramePipe(string path, SafeFileHandle writer)
    {
        Path = path;
        _writer = writer;
    }

    /// <summary>Where the renderer writes.</summary>
    public string Path { get; }

    /// <summary>Where the encoder reads.</summary>
    public string ReaderPath =>
        string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{_writer.DangerousGetHandle()}");

    /// <exception cref="IOException">The file system can't hold a FIFO, or is full.</exception>
    public static FramePipe Create(string path)
    {
        if (MakeFifo(path, OwnerReadWrite) != 0)
        {
            throw Fault("make", path);
        }

        // A FIFO opens for reading and writing without waiting; with that reader there, so does the writing end
        using var both = Open(path, ReadWrite | CloseOnExec);
        if (both.IsInvalid)
        {
            throw Fault("open", path);
        }

        var writer = Open(path, WriteOnly | CloseOnExec);
        return writer.IsInvalid ? throw Fault("open", path) : new FramePipe(path, writer);
    }

    /// <summary>Writes by the worker's own end, and waits where the pipe is full.</summary>
    /// <returns>False when nobody reads (yet, or any more).</returns>
    public bool TryWrite(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var written = Write(_writer, bytes, bytes.Length);
            if (written >= 0)
            {
                bytes = bytes[(int)written..];
            }
            else if (Marshal.GetLastPInvokeError() == BrokenPipe)
            {
                return false;
            }
            else if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Fault("write to", Path);
            }
        }

        return true;
    }

    /// <summary>
    /// Lets go of the worker's end: once the renderer has done so too, the encoder sees the end of its input. Harmless when done.
    /// The descriptor stays taken until <see cref="Dispose"/>, after the encoder: a late one would open whatever had got its number.
    /// </summary>
    public void CloseWriter()
    {
        using var nothing = Open("/dev/null", WriteOnly | CloseOnExec);
        if (nothing.IsInvalid || Duplicate(nothing, _writer, CloseOnExec) < 0)
        {
            throw Fault("let go of", Path);
        }
    }

    public void Dispose() => _writer.Dispose();

    private static IOException Fault(string verb, string path) =>
        new($"can't {verb} the frame pipe {path}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "dup3", SetLastError = true)]
    private static partial int Duplicate(SafeFileHandle from, SafeFileHandle onto, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, nint count);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);
}
