using System.Runtime.InteropServices;

namespace RenderFarm.Cli.Errands;

/// <summary>The environment of this process, also of the program that it becomes: the runtime's own is a copy.</summary>
internal static partial class ProcessEnvironment
{
    public static void Set(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        _ = SetIn(name, value, 1);
    }

    public static void Unset(string name)
    {
        Environment.SetEnvironmentVariable(name, null);
        _ = UnsetIn(name);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetIn(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int UnsetIn(string name);
}
