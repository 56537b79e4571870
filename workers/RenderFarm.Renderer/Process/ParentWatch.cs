namespace RenderFarm.Renderer.Process;

/// <summary>
/// Dies with its parent: a renderer whose worker is gone must not hold a card.
/// </summary>
/// <remarks>
/// <c>PR_SET_PDEATHSIG</c> looks like the tool for this and isn't: it fires when the <em>thread</em> that forked ends,
/// and a .NET worker forks on a pool thread that retires after some idle seconds. So a thread here waits on a
/// descriptor of the parent process instead. A parent that dies before the descriptor is made closes standard input,
/// which ends the renderer too.
/// </remarks>
internal static class ParentWatch
{
    public static void Start()
    {
        var parent = LibC.getppid();
        var descriptor = (int)LibC.syscall(LibC.SYS_pidfd_open, parent, 0);
        new Thread(() => WaitAndDie(parent, descriptor), 128 * 1024) { IsBackground = true, Name = "parent watch" }.Start();
    }

    private static unsafe void WaitAndDie(int parent, int descriptor)
    {
        var watched = new LibC.PollFd { Fd = descriptor, Events = LibC.POLLIN };
        // A kernel or sandbox without pidfd_open gives -1: poll ignores it and only the second's timeout counts
        var milliseconds = descriptor < 0 ? 1000 : -1;
        while (LibC.getppid() == parent)
        {
            if (LibC.poll(&watched, 1, milliseconds) > 0)
            {
                break;
            }
        }
        _ = LibC.kill(LibC.getpid(), LibC.SIGKILL);
    }
}
