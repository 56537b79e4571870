using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Registration;

/// <summary>
/// Who this worker is: its installation, not its name. The file <c>identity</c> in the data directory holds a number that was made at
/// random once; it is read while the directory is locked.
/// </summary>
internal sealed class WorkerIdentity(IOptions<WorkerOptions> options)
{
    public const string FileName = "identity";
    private const int Length = 32;
    private readonly Lock _gate = new();
    private string? _id;

    /// <summary>This start of the worker.</summary>
    public string Instance { get; } = Random();

    /// <summary>From the file, which is made where there is none.</summary>
    /// <exception cref="WorkerSettingException">The file can't be read or written, or holds something else.</exception>
    public string Id
    {
        get
        {
            lock (_gate)
            {
                return _id ??= ReadOrMake();
            }
        }
    }

    /// <summary>
    /// Which file on which running system this is. A start that holds the lock of this place knows that the earlier one from it is over,
    /// however it ended; a copy of the directory, here or on another host, is another place. Null where the system can't tell.
    /// </summary>
    public string? Place =>
        Id.Length > 0 && FileOnDisk.Find(Path) is { } file && BootId() is { } boot
            ? Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{boot} {file}")))
            : null;

    private string Path => System.IO.Path.Combine(options.Value.DataDirectory, FileName);

    private static string Random() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Length / 2));

    private string ReadOrMake()
    {
        try
        {
            if (!File.Exists(Path))
            {
                Make();
            }

            var id = File.ReadAllText(Path).Trim();
            return id.Length == Length && id.All(char.IsAsciiHexDigitLower)
                ? id
                : throw new WorkerSettingException(
                    $"Worker:DataDirectory: {Path} must hold {Length} hex digits and holds something else; delete it, and this worker "
                        + "registers as a new one"
                );
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WorkerSettingException($"Worker:DataDirectory: {Path} can't be used ({fault.Message})");
        }
    }

    private void Make() => PrivateFiles.Write(Path, System.Text.Encoding.ASCII.GetBytes(Random() + "\n"));

    /// <summary>Random at every start of the system; null where there is no such thing.</summary>
    private static string? BootId()
    {
        const string Source = "/proc/sys/kernel/random/boot_id";
        try
        {
            return File.Exists(Source) ? File.ReadAllText(Source).Trim() : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null; // A sandbox that hides it: a restart then waits until its predecessor counts as gone
        }
    }
}
