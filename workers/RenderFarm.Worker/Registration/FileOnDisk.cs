using System.Runtime.InteropServices;

namespace RenderFarm.Worker.Registration;

/// <summary>Which file a path leads to: the same for every path to it, another for every copy.</summary>
internal readonly partial record struct FileOnDisk(uint DeviceMajor, uint DeviceMinor, ulong Number)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint NumberWanted = 0x100; // STATX_INO

    /// <summary>Null where there is no such file, or no such call.</summary>
    public static FileOnDisk? Find(string path) =>
        OperatingSystem.IsLinux() && StatX(CurrentDirectory, path, 0, NumberWanted, out var found) == 0
            ? new FileOnDisk(found.DeviceMajor, found.DeviceMinor, found.Number)
            : null;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int directory, string path, int flags, uint mask, out Answer answer);

    /// <summary>struct statx, which is the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Answer
    {
        [FieldOffset(32)]
        public ulong Number;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
