using System.Diagnostics;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Farm;

/// <summary>
/// A file system of its own in memory, small enough to be filled to the last byte. Mounting takes root; without it the
/// folder is an ordinary one and can't be filled.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private const long Bytes = 48 << 20;
    private string Filler => Path.Combine(Folder, "filler");

    private SmallDisk(string folder, bool isMounted) => (Folder, CanBeFilled) = (folder, isMounted);

    public string Folder { get; }
    public bool CanBeFilled { get; }

    public static async Task<SmallDisk> MakeAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        return new SmallDisk(folder, await RunAsync("mount", "-t", "tmpfs", "-o", $"size={Bytes}", "renderfarm-chaos", folder) == 0);
    }

    /// <summary>ENOSPC for whoever writes next.</summary>
    public async Task FillAsync(CancellationToken cancellationToken)
    {
        await using var filler = new FileStream(
            Filler,
            FileMode.Create,
            FileAccess.Write,
            FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0
        );
        for (var size = 1 << 20; size > 0; size /= 16)
        {
            try
            {
                while (true)
                {
                    await filler.WriteAsync(new byte[size], cancellationToken);
                }
            }
            catch (IOException)
            {
                // That much does not fit any more: less may
            }
        }
    }

    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync()
    {
        if (!CanBeFilled)
        {
            return;
        }
        // Whoever was killed last may hold it for a moment yet
        await Eventually.TrueAsync(
            async () => await RunAsync("umount", Folder) == 0,
            TimeSpan.FromSeconds(10),
            $"{Folder} to be unmounted"
        );
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
