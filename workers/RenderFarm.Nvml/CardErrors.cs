using System.Runtime.InteropServices;

namespace RenderFarm.Nvml;

/// <summary>One error that the driver reported of a card.</summary>
/// <param name="Card">Null where the driver does not say, or no longer answers for it.</param>
/// <param name="Xid">Its number in NVIDIA's catalogue.</param>
public readonly record struct CardError(Card? Card, long Xid);

/// <summary>
/// The driver's Xid errors as they happen, by NVML's set of events: the kernel's log has them too, but only root may read it.
/// </summary>
public sealed unsafe class CardErrors : IDisposable
{
    internal static readonly string[] Functions =
    [
        "nvmlEventSetCreate",
        "nvmlEventSetFree",
        "nvmlEventSetWait_v2",
        "nvmlDeviceGetSupportedEventTypes",
        "nvmlDeviceRegisterEvents",
    ];

    private const ulong XidCriticalError = 0x8;
    private const int NotSupported = 3;
    private const int TimedOut = 10;
    private const int Lost = 15;
    private readonly NvmlHandle _library;
    private readonly NvmlLibrary _driver;
    private readonly Lock _gate = new();
    private nint _set;

    internal CardErrors(NvmlHandle library, NvmlLibrary driver)
    {
        (_library, _driver) = (library, driver);
        nint set;
        using var call = library.Enter("nvmlEventSetCreate");
        driver.Check("nvmlEventSetCreate", ((delegate* unmanaged<nint*, int>)call.Function)(&set));
        _set = set;
    }

    /// <summary>Waits for the next one on the calling thread.</summary>
    /// <returns>Null: there was none in that time.</returns>
    /// <exception cref="NvmlException">The driver does not go on with it, as when a card is lost: listen anew.</exception>
    public CardError? Next(TimeSpan atMost)
    {
        // Nobody frees the set while the driver waits at it
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_set == 0, this);
            EventData data;
            int code;
            using (var call = _library.Enter("nvmlEventSetWait_v2"))
            {
                code = ((delegate* unmanaged<nint, EventData*, uint, int>)call.Function)(_set, &data, (uint)atMost.TotalMilliseconds);
            }

            if (code == TimedOut)
            {
                return null;
            }

            _driver.Check("nvmlEventSetWait_v2", code);
            return (data.EventType & XidCriticalError) == 0 ? null : new CardError(CardOf(data.Device), (long)data.Data);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_set == 0)
            {
                return;
            }

            using var call = _library.Enter("nvmlEventSetFree");
            _ = ((delegate* unmanaged<nint, int>)call.Function)(_set);
            _set = 0;
        }
    }

    /// <returns>False: none of the cards tells of its errors.</returns>
    internal bool Register(IEnumerable<nint> devices)
    {
        var any = false;
        foreach (var device in devices)
        {
            any |= Register(device);
        }

        return any;
    }

    private bool Register(nint device)
    {
        ulong supported;
        using (var call = _library.Enter("nvmlDeviceGetSupportedEventTypes"))
        {
            var code = ((delegate* unmanaged<nint, ulong*, int>)call.Function)(device, &supported);
            if (IsLeftOut("nvmlDeviceGetSupportedEventTypes", code) || (supported & XidCriticalError) == 0)
            {
                return false;
            }
        }

        using var register = _library.Enter("nvmlDeviceRegisterEvents");
        return !IsLeftOut(
            "nvmlDeviceRegisterEvents",
            ((delegate* unmanaged<nint, ulong, nint, int>)register.Function)(device, XidCriticalError, _set)
        );
    }

    /// <summary>A card that can't tell, or is gone, leaves the others to be listened to.</summary>
    private bool IsLeftOut(string function, int code)
    {
        if (code is NotSupported or Lost)
        {
            return true;
        }

        _driver.Check(function, code);
        return false;
    }

    private Card? CardOf(nint device)
    {
        try
        {
            return _driver.CardOf(device);
        }
        catch (NvmlException)
        {
            return null; // It has gone with its error: whoever looks after its slot asks for it and is told so
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct EventData
    {
        public nint Device;
        public ulong EventType;
        public ulong Data;
        public uint GpuInstance;
        public uint ComputeInstance;
    }
}
