using System.Runtime.InteropServices;

namespace RenderFarm.Rendering.Hosting;

/// <summary>How libc is told what native libraries should do.</summary>
internal static partial class LibC
{
    public const int MallocTrimThreshold = -1;
    public const int MallocMmapMax = -4;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("libc")]
    public static partial int mallopt(int parameter, int value);

    /// <summary>Ends the process at once, without the exit handlers of native libraries.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    public static partial void ExitNow(int code);
}
