using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Artifacts;

/// <summary>
/// Artifacts in a folder, a file per object. Content type and checksum lie beside each file as <c>.{name}.meta</c>;
/// that is written first, and the object's own rename is what makes it visible. Names with a leading dot are no keys,
/// so metadata and temporary files can't be read, listed or overwritten through the store.
/// </summary>
public sealed class DirectoryArtifactStore(string root) : IArtifactStore
{
    private readonly string _root = Path.GetFullPath(root);

    public Task EnsureReadyAsync(CancellationToken cancellation) =>
        Guarded(
            "prepare",
            _root,
            () =>
            {
                Directory.CreateDirectory(_root);
                return Task.FromResult(true);
            }
        );

    public Task<StoredObject> PutFileAsync(string key, string path, string contentType, string sha256, CancellationToken cancellation) =>
        Guarded(
            "store",
            key,
            async () =>
            {
                string target = PathOf(key);
                string folder = Path.GetDirectoryName(target)!;
                Directory.CreateDirectory(folder);

                string temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():n}.tmp");
                string temporaryMeta = temporary + ".meta";
                try
                {
                    string actual = await CopyAndHashAsync(path, temporary, cancellation);
                    if (actual != sha256)
                        throw new ArtifactCorruptException(
                            $"{path} has SHA-256 {actual}, promised was {sha256}: nothing was stored as '{key}'"
                        );

                    await WriteMetaAsync(temporaryMeta, contentType, sha256, cancellation);
                    File.Move(temporaryMeta, MetaOf(target), overwrite: true);
                    DurableFile.Publish(temporary, target);
                }
                finally
                {
                    File.Delete(temporary);
                    File.Delete(temporaryMeta);
                }

                return await StatAsync(key, cancellation) ?? throw new ArtifactNotFoundException(key);
            }
        );

    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellation) =>
        Guarded(
            "look up",
            key,
            async () =>
            {
                FileInfo file = new(PathOf(key));
                if (!file.Exists)
                    return null;
                Dictionary<string, string>? meta = null;
                string metaPath = MetaOf(file.FullName);
                if (File.Exists(metaPath))
                {
                    string text = await File.ReadAllTextAsync(metaPath, cancellation);
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
        );

    public Task<Stream> OpenReadAsync(string key, ByteRange? range, CancellationToken cancellation) =>
        Guarded(
            "read",
            key,
            () =>
            {
                string path = PathOf(key);
                if (!File.Exists(path))
                    throw new ArtifactNotFoundException(key);
                FileStream file = FileChecksum.OpenSequential(path);
                return Task.FromResult<Stream>(range is { } part ? new FilePart(file, part) : file);
            }
        );

    public Task DeleteAsync(string key, CancellationToken cancellation) =>
        Guarded(
            "delete",
            key,
            () =>
            {
                string path = PathOf(key);
                if (!File.Exists(path))
                    return Task.FromResult(true);
                File.Delete(path);
                File.Delete(MetaOf(path));
                RemoveEmptyFolders(Path.GetDirectoryName(path)!);
                return Task.FromResult(true);
            }
        );

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // walk only the folder that the prefix names, then compare the rest of it
        int lastSlash = prefix.LastIndexOf('/');
        string folder = lastSlash < 0 ? _root : PathOf(prefix[..lastSlash]);
        if (!Directory.Exists(folder))
            yield break;
        foreach (string path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            if (Path.GetFileName(path)[0] == '.')
                continue;
            string key = Path.GetRelativePath(_root, path).Replace(Path.DirectorySeparatorChar, '/');
            FileInfo file = new(path);
            if (key.StartsWith(prefix, StringComparison.Ordinal) && file.Exists)
                yield return new StoredObject(key, file.Length, file.LastWriteTimeUtc);
        }

        await Task.CompletedTask;
    }

    public Task<int> RemoveUnfinishedAsync(DateTimeOffset begunBefore, CancellationToken cancellation) =>
        Guarded(
            "clean",
            _root,
            () =>
            {
                int removed = 0;
                if (!Directory.Exists(_root))
                    return Task.FromResult(removed);
                foreach (
                    string file in Directory.EnumerateFiles(
                        _root,
                        ".*.tmp*",
                        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }
                    )
                )
                {
                    cancellation.ThrowIfCancellationRequested();
                    if (File.GetLastWriteTimeUtc(file) >= begunBefore.UtcDateTime)
                        continue;
                    File.Delete(file);
                    removed++;
                }

                return Task.FromResult(removed);
            }
        );

    public Task<Uri?> PresignGetAsync(
        string key,
        TimeSpan lifetime,
        LinkReach reach,
        string? downloadName,
        CancellationToken cancellation
    ) => Task.FromResult<Uri?>(null);

    /// <summary>The key's own file. <see cref="ObjectKeys.Checked"/> has refused dots, so the path can't leave the root.</summary>
    private string PathOf(string key) => Path.Combine(_root, ObjectKeys.Checked(key));

    private static string MetaOf(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.meta");

    private static async Task<string> CopyAndHashAsync(string source, string target, CancellationToken cancellation)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using FileStream from = FileChecksum.OpenSequential(source);
        await using FileStream to = new(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
        byte[] buffer = new byte[1 << 17];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellation)) > 0)
        {
            hash.AppendData(buffer.AsSpan(0, read));
            await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }

        to.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task WriteMetaAsync(string path, string contentType, string sha256, CancellationToken cancellation)
    {
        Dictionary<string, string> meta = new() { ["content_type"] = contentType, ["sha256"] = sha256 };
        await using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
        await JsonSerializer.SerializeAsync(file, meta, ContractsJson.Default.DictionaryStringString, cancellation);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Up to, not including, the root. A folder that fills again in between stays.</summary>
    private void RemoveEmptyFolders(string folder)
    {
        for (
            ;
            folder.Length > _root.Length && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any();
            folder = Path.GetDirectoryName(folder)!
        )
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                return; // somebody put a file there between the look and the delete
            }
        }
    }

    private static async Task<T> Guarded<T>(string verb, string key, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ArtifactStoreException(
                $"can't {verb} '{key}' in the artifact folder: {fault.Message}",
                isTransient: fault is IOException,
                fault
            );
        }
    }
}
