using System.Runtime.InteropServices;
using System.Text;

namespace RenderFarm.Nvml;

/// <summary>
/// The driver's management library, loaded at run time: the same worker runs on hosts that have no driver. Calls are
/// thread-safe; the library lives until the last of them has returned.
/// </summary>
public sealed unsafe class NvmlLibrary : IDisposable
{
    /// <summary>Where the loader finds the driver's own.</summary>
    public const string DefaultPath = "libnvidia-ml.so.1";

    private const int Success = 0;
    private const int NotSupported = 3;
    private const int InsufficientSize = 7;
    private const int TextBytes = 96;
    private const ulong Untold = ulong.MaxValue;

    private readonly NvmlHandle _library;
    private readonly Dictionary<string, nint> _devices = new(StringComparer.Ordinal);

    private NvmlLibrary(NvmlHandle library) => _library = library;

    public string DriverVersion { get; private set; } = "";

    public IReadOnlyList<Card> Cards { get; private set; } = [];

    /// <summary>Null when this host has no driver, or the driver sees no card; <paramref name="reason"/> says which.</summary>
    /// <param name="path">The library, where the loader doesn't find it by its name.</param>
    public static NvmlLibrary? TryOpen(out string reason, string path = DefaultPath)
    {
        if (NvmlHandle.TryLoad(path) is not { } handle)
        {
            reason = $"{path} is not on this host";
            return null;
        }

        var library = new NvmlLibrary(handle);
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

    public CardMemory MemoryOf(Card card) => MemoryOf(DeviceOf(card));

    /// <summary>Everybody with a context on the card, the largest first.</summary>
    public IReadOnlyList<CardProcess> ProcessesOn(Card card)
    {
        var device = DeviceOf(card);
        Dictionary<int, long?> found = [];
        foreach (var kind in new[] { "Compute", "Graphics" })
        {
            foreach (var process in ProcessesOn(device, $"nvmlDeviceGet{kind}RunningProcesses"))
            {
                long? used = process.UsedBytes == Untold ? null : (long)process.UsedBytes;
                var id = (int)process.Id;
                // A process that computes and draws is listed under both, with the same figure
                if (!found.TryGetValue(id, out var before) || used > (before ?? -1))
                {
                    found[id] = used;
                }
            }
        }

        return
        [
            .. found
                .Select(entry => new CardProcess(entry.Key, ProgramOf(entry.Key), entry.Value))
                .OrderByDescending(process => process.UsedBytes ?? 0)
                .ThenBy(process => process.Id),
        ];
    }

    public CardVitals VitalsOf(Card card)
    {
        var device = DeviceOf(card);
        var utilization = ReadIfSupported<Utilization>("nvmlDeviceGetUtilizationRates", device);
        var milliwatts = ReadIfSupported<uint>("nvmlDeviceGetPowerUsage", device);
        var limit = ReadIfSupported<uint>("nvmlDeviceGetEnforcedPowerLimit", device);
        return new CardVitals((int?)utilization?.Gpu, TemperatureOf(device), milliwatts / 1000.0, limit / 1000.0);
    }

    /// <summary>Listens for what the driver reports of every card from now on; what it reported before is not heard.</summary>
    /// <returns>Null where neither driver nor cards tell of such things.</returns>
    /// <exception cref="NvmlException">The driver refuses.</exception>
    public CardErrors? Listen()
    {
        if (!CardErrors.Functions.All(_library.Has))
        {
            return null;
        }

        var errors = new CardErrors(_library, this);
        try
        {
            if (errors.Register(_devices.Values))
            {
                return errors;
            }
        }
        catch (NvmlException)
        {
            errors.Dispose();
            throw;
        }

        errors.Dispose();
        return null;
    }

    public void Dispose() => _library.Dispose();

    /// <summary>A card of this host by the driver's handle; null for one that was not there at the start.</summary>
    internal Card? CardOf(nint device)
    {
        // One that is lost tells its name no more
        var uuid = _devices.FirstOrDefault(known => known.Value == device).Key ?? Text("nvmlDeviceGetUUID", device);
        return Cards.FirstOrDefault(card => card.Uuid == uuid);
    }

    private void Start()
    {
        Check("nvmlInit_v2", _library.Start());
        DriverVersion = DriverText();
        uint count;
        using (var call = _library.Enter("nvmlDeviceGetCount_v2"))
        {
            Check("nvmlDeviceGetCount_v2", ((delegate* unmanaged<uint*, int>)call.Function)(&count));
        }

        List<Card> cards = [];
        for (uint index = 0; index < count; index++)
        {
            var device = DeviceAt(index);
            var uuid = Text("nvmlDeviceGetUUID", device);
            _devices[uuid] = device;
            cards.Add(
                new Card((int)index, uuid, Text("nvmlDeviceGetName", device), MemoryOf(device).TotalBytes)
                {
                    ComputeCapability = CapabilityOf(device),
                }
            );
        }

        Cards = cards;
    }

    private nint DeviceAt(uint index)
    {
        nint device;
        using var call = _library.Enter("nvmlDeviceGetHandleByIndex_v2");
        Check("nvmlDeviceGetHandleByIndex_v2", ((delegate* unmanaged<uint, nint*, int>)call.Function)(index, &device));
        return device;
    }

    private CardMemory MemoryOf(nint device)
    {
        Memory memory;
        using var call = _library.Enter("nvmlDeviceGetMemoryInfo");
        Check("nvmlDeviceGetMemoryInfo", ((delegate* unmanaged<nint, Memory*, int>)call.Function)(device, &memory));
        return new CardMemory((long)memory.Total, (long)memory.Free, (long)memory.Used);
    }

    private Version? CapabilityOf(nint device)
    {
        const string Function = "nvmlDeviceGetCudaComputeCapability";
        int major;
        int minor;
        if (!_library.Has(Function))
        {
            return null;
        }

        using var call = _library.Enter(Function);
        return IsSupported(Function, ((delegate* unmanaged<nint, int*, int*, int>)call.Function)(device, &major, &minor))
            ? new Version(major, minor)
            : null;
    }

    private int? TemperatureOf(nint device)
    {
        const int OfTheChip = 0;
        uint celsius;
        if (!_library.Has("nvmlDeviceGetTemperature"))
        {
            return null;
        }

        using var call = _library.Enter("nvmlDeviceGetTemperature");
        return IsSupported(
            "nvmlDeviceGetTemperature",
            ((delegate* unmanaged<nint, int, uint*, int>)call.Function)(device, OfTheChip, &celsius)
        )
            ? (int)celsius
            : null;
    }

    /// <summary>One figure or record of a device; null where the card or the driver has none.</summary>
    private T? ReadIfSupported<T>(string function, nint device)
        where T : unmanaged
    {
        T value;
        if (!_library.Has(function))
        {
            return null;
        }

        using var call = _library.Enter(function);
        return IsSupported(function, ((delegate* unmanaged<nint, T*, int>)call.Function)(device, &value)) ? value : null;
    }

    private bool IsSupported(string function, int code)
    {
        if (code == NotSupported)
        {
            return false;
        }

        Check(function, code);
        return true;
    }

    /// <summary>The third version of the call says more than the second, in the same records.</summary>
    private Process[] ProcessesOn(nint device, string name)
    {
        var function = _library.Has(name + "_v3") ? name + "_v3" : name + "_v2";
        if (!_library.Has(function))
        {
            return [];
        }

        using var call = _library.Enter(function);
        for (uint room = 32; ; room *= 2)
        {
            var processes = new Process[room];
            var count = room;
            int code;
            fixed (Process* first = processes)
            {
                code = ((delegate* unmanaged<nint, uint*, Process*, int>)call.Function)(device, &count, first);
            }

            if (code == InsufficientSize && room < 1 << 16)
            {
                continue; // More came meanwhile
            }

            return IsSupported(function, code) ? processes[..(int)count] : [];
        }
    }

    private nint DeviceOf(Card card) =>
        _devices.TryGetValue(card.Uuid, out var device)
            ? device
            : throw new ArgumentException($"card {card.Uuid} is none of this host", nameof(card));

    private string DriverText()
    {
        var buffer = stackalloc byte[TextBytes];
        using var call = _library.Enter("nvmlSystemGetDriverVersion");
        Check("nvmlSystemGetDriverVersion", ((delegate* unmanaged<byte*, uint, int>)call.Function)(buffer, TextBytes));
        return Read(buffer);
    }

    private string Text(string function, nint device)
    {
        var buffer = stackalloc byte[TextBytes];
        using var call = _library.Enter(function);
        Check(function, ((delegate* unmanaged<nint, byte*, uint, int>)call.Function)(device, buffer, TextBytes));
        return Read(buffer);
    }

    private static string Read(byte* buffer)
    {
        var all = new ReadOnlySpan<byte>(buffer, TextBytes);
        var end = all.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? all : all[..end]);
    }

    internal void Check(string function, int code)
    {
        if (code != Success)
        {
            throw new NvmlException(function, code, Meaning(code));
        }
    }

    private string Meaning(int code)
    {
        if (!_library.Has("nvmlErrorString"))
        {
            return "unknown";
        }

        using var call = _library.Enter("nvmlErrorString");
        return Marshal.PtrToStringUTF8(((delegate* unmanaged<int, nint>)call.Function)(code)) ?? "unknown";
    }

    private static string ProgramOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/comm").Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return ""; // It has ended, or lives in another container
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Memory
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Utilization
    {
        public uint Gpu;
        public uint Memory;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Process
    {
        public uint Id;
        public ulong UsedBytes;
        public uint GpuInstance;
        public uint ComputeInstance;
    }
}
