using System.Runtime.InteropServices;
using System.Text;

namespace RenderFarm.Nvml;

/// <summary>
/// The driver's management library, loaded at run time: the same worker runs on hosts that have no driver. Calls are
/// thread-safe; handles live as long as the library.
/// </summary>
public sealed unsafe class NvmlLibrary : IDisposable
{
    private const int Success = 0;
    private const int AlreadyInitialised = 5;
    private const int NameBytes = 96;

    private readonly nint _library;
    private readonly Dictionary<string, nint> _handles = new(StringComparer.Ordinal);
    private readonly delegate* unmanaged<nint, Memory*, int> _memoryInfo;
    private bool _disposed;

    private NvmlLibrary(nint library)
    {
        _library = library;
        _memoryInfo = (delegate* unmanaged<nint, Memory*, int>)NativeLibrary.GetExport(library, "nvmlDeviceGetMemoryInfo");
    }

    public string DriverVersion { get; private set; } = "";

    public IReadOnlyList<Card> Cards { get; private set; } = [];

    /// <summary>Null when this host has no driver, or the driver sees no card; <paramref name="reason"/> says which.</summary>
    public static NvmlLibrary? TryOpen(out string reason)
    {
        if (!NativeLibrary.TryLoad("libnvidia-ml.so.1", out nint handle))
        {
            reason = "libnvidia-ml.so.1 is not on this host";
            return null;
        }

        NvmlLibrary library = new(handle);
        try
        {
            library.Start();
        }
        catch (Exception fault) when (fault is NvmlException or EntryPointNotFoundException)
        {
            library.Dispose();
            reason = fault.Message;
            return null;
        }

        if (library.Cards.Count > 0)
        {
            reason = "";
            return library;
        }

        library.Dispose();
        reason = "the driver sees no card";
        return null;
    }

    public CardMemory MemoryOf(Card card)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Memory memory;
        Check("nvmlDeviceGetMemoryInfo", _memoryInfo(_handles[card.Uuid], &memory));
        return new CardMemory((long)memory.Total, (long)memory.Free, (long)memory.Used);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (NativeLibrary.TryGetExport(_library, "nvmlShutdown", out nint shutdown)) _ = ((delegate* unmanaged<int>)shutdown)();
        NativeLibrary.Free(_library);
    }

    private void Start()
    {
        int started = ((delegate* unmanaged<int>)Export("nvmlInit_v2"))();
        if (started != AlreadyInitialised) Check("nvmlInit_v2", started);
        DriverVersion = Text("nvmlSystemGetDriverVersion", (buffer, length) => ((delegate* unmanaged<byte*, uint, int>)Export("nvmlSystemGetDriverVersion"))((byte*)buffer, length));

        uint count;
        Check("nvmlDeviceGetCount_v2", ((delegate* unmanaged<uint*, int>)Export("nvmlDeviceGetCount_v2"))(&count));
        List<Card> cards = [];
        for (uint index = 0; index < count; index++)
        {
            nint device = DeviceAt(index);
            string uuid = Text("nvmlDeviceGetUUID", (buffer, length) => ((delegate* unmanaged<nint, byte*, uint, int>)Export("nvmlDeviceGetUUID"))(device, (byte*)buffer, length));
            string name = Text("nvmlDeviceGetName", (buffer, length) => ((delegate* unmanaged<nint, byte*, uint, int>)Export("nvmlDeviceGetName"))(device, (byte*)buffer, length));
            _handles[uuid] = device;
            Memory memory;
            Check("nvmlDeviceGetMemoryInfo", _memoryInfo(device, &memory));
            cards.Add(new Card((int)index, uuid, name, (long)memory.Total));
        }

        Cards = cards;
    }

    private nint DeviceAt(uint index)
    {
        nint device;
        Check("nvmlDeviceGetHandleByIndex_v2", ((delegate* unmanaged<uint, nint*, int>)Export("nvmlDeviceGetHandleByIndex_v2"))(index, &device));
        return device;
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);

    private static string Text(string call, Func<nint, uint, int> read)
    {
        byte* buffer = stackalloc byte[NameBytes];
        Check(call, read((nint)buffer, NameBytes));
        ReadOnlySpan<byte> all = new(buffer, NameBytes);
        int end = all.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? all : all[..end]);
    }

    private static void Check(string call, int code)
    {
        if (code != Success) throw new NvmlException(call, code);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }
}
