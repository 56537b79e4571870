using System.Runtime.InteropServices;

namespace RenderFarm.Renderer.Process;

/// <summary>
/// The real standard output, moved to a descriptor that nothing else knows. Descriptor 1 then points at standard
/// error, so a native library that prints to it can't corrupt the protocol.
/// </summary>
internal static class PrivateStdout
{
    /// <summary>Call before anything native is loaded.</summary>
    /// <returns>The descriptor that reports go to.</returns>
    public static int Take()
    {
        // 64 and up: away from the low numbers that a careless library may close or reuse
        var fd = LibC.fcntl(LibC.StandardOutput, LibC.F_DUPFD_CLOEXEC, 64);
        if (fd < 0)
        {
            throw Failed("duplicated");
        }

        if (LibC.dup2(LibC.StandardError, LibC.StandardOutput) < 0)
        {
            throw Failed("pointed at standard error");
        }

        return fd;
    }

    private static IOException Failed(string what) => new($"standard output could not be {what}: {Marshal.GetLastPInvokeErrorMessage()}");
}
