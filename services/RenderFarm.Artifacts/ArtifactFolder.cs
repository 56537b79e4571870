using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RenderFarm.Contracts.Json;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Artifacts;

/// <summary>
/// How objects lie in a folder: a file each, content type and checksum beside it as <c>.{name}.meta</c>. Names with a leading dot are no
/// keys, so metadata and temporary files can't be read, listed or overwritten as objects.
/// </summary>
internal sealed class ArtifactFolder(string root)
{
    /// <summary>Every file that is not whole yet, and nothing else.</summary>
    public const string Unfinished = ".*.tmp*";

    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>The key's own file. <see cref="ObjectKeys.Checked"/> has refused dots, so the path can't leave the root.</summary>
    public string PathOf(string key) => Path.Combine(Root, ObjectKeys.Checked(key));

    public static string MetaOf(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.meta");

    /// <summary>A name for what is not whole yet, in the folder of what it will be.</summary>
    public static string TemporaryOf(string path, string tag) =>
        Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{tag}.tmp");

    public static string NewTemporaryOf(string path) => TemporaryOf(path, Guid.NewGuid().ToString("n"));

    public static FileStream CreateNew(string path) =>
        new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);

    /// <summary>The rest of a stream, as it is hashed.</summary>
    /// <returns>How many bytes.</returns>
    public static async Task<long> CopyAsync(Stream from, Stream to, IncrementalHash hash, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 17];
        var all = 0L;
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            all += read;
            hash.AppendData(buffer.AsSpan(0, read));
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return all;
    }

    /// <summary>Metadata first: the object's own rename is what makes it visible.</summary>
    public static async Task PublishAsync(
        string temporary,
        string target,
        string contentType,
        string sha256,
        CancellationToken cancellationToken
    )
    {
        var meta = temporary + ".meta";
        try
        {
            await WriteMetaAsync(meta, contentType, sha256, cancellationToken);
            File.Move(meta, MetaOf(target), overwrite: true);
            DurableFile.Publish(temporary, target);
        }
        finally
        {
            File.Delete(meta);
        }
    }

    private static async Task WriteMetaAsync(string path, string contentType, string sha256, CancellationToken cancellationToken)
    {
        var meta = new Dictionary<string, string> { ["content_type"] = contentType, ["sha256"] = sha256 };
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await JsonSerializer.SerializeAsync(file, meta, ContractsJson.Default.DictionaryStringString, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    public async Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken)
    {
        var file = new FileInfo(PathOf(key));
        if (!file.Exists)
        {
            return null;
        }

        Dictionary<string, string>? meta = null;
        var metaPath = MetaOf(file.FullName);
        if (File.Exists(metaPath))
        {
            var text = await File.ReadAllTextAsync(metaPath, cancellationToken);
            meta = JsonSerializer.Deserialize(text, ContractsJson.Default.DictionaryStringString);
        }

        return new StoredObject(
            key,
            file.Length,
            file.LastWriteTimeUtc,
            meta?.GetValueOrDefault("content_type"),
            meta?.GetValueOrDefault("sha256")
        );
    }

    /// <summary>Up to, not including, the root. A folder that fills again in between stays.</summary>
    public void RemoveEmptyFolders(string folder)
    {
        for (
            ;
            folder.Length > Root.Length && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any();
            folder = Path.GetDirectoryName(folder)!
        )
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                return; // Somebody put a file there between the look and the delete
            }
        }
    }

    /// <summary>Faults of the disk are the store's; those of a client whose bytes are being read are not.</summary>
    public static async Task<T> GuardedAsync<T>(string verb, string key, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException && fault is not BadHttpRequestException)
        {
            throw new ArtifactStoreException(
                $"can't {verb} '{key}' in the artifact folder: {fault.Message}",
                isTransient: fault is IOException,
                fault
            );
        }
    }
}
