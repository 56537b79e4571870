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

    public Task EnsureReadyAsync(CancellationToken cancellationToken) =>
        Guarded(
            "prepare",
            _root,
            () =>
            {
                Directory.CreateDirectory(_root);
                return Task.FromResult(true);
            }
        );

    public Task<StoredObject> PutFileAsync(
        string key,
        string path,
        string contentType,
        string sha256,
        CancellationToken cancellationToken
    ) =>
        Guarded(
            "store",
            key,
            async () =>
            {
                var target = PathOf(key);
                var folder = Path.GetDirectoryName(target)!;
                Directory.CreateDirectory(folder);

                var temporary = Path.Combine(folder, $".{Path.GetFileName(target)}.{Guid.NewGuid():n}.tmp");
                var temporaryMeta = temporary + ".meta";
                try
                {
                    var actual = await CopyAndHashAsync(path, temporary, cancellationToken);
                    if (actual != sha256)
                    {
                        throw new ArtifactCorruptException(
                            $"{path} has SHA-256 {actual}, promised was {sha256}: nothing was stored as '{key}'"
                        );
                    }

                    await WriteMetaAsync(temporaryMeta, contentType, sha256, cancellationToken);
                    File.Move(temporaryMeta, MetaOf(target), overwrite: true);
                    DurableFile.Publish(temporary, target);
                }
                finally
                {
                    File.Delete(temporary);
                    File.Delete(temporaryMeta);
                }

                return await StatAsync(key, cancellationToken) ?? throw new ArtifactNotFoundException(key);
            }
        );

    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) =>
        Guarded(
            "look up",
            key,
            async () =>
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
        );

    public Task<Stream> OpenReadAsync(string key, ByteRange? range, CancellationToken cancellationToken) =>
        Guarded(
            "read",
            key,
            () =>
            {
                var path = PathOf(key);
                if (!File.Exists(path))
                {
                    throw new ArtifactNotFoundException(key);
                }

                var file = FileChecksum.OpenSequential(path);
                return Task.FromResult<Stream>(range is { } part ? new FilePart(file, part) : file);
            }
        );

    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        Guarded(
            "delete",
            key,
            () =>
            {
                var path = PathOf(key);
                if (!File.Exists(path))
                {
                    return Task.FromResult(true);
                }

                File.Delete(path);
                File.Delete(MetaOf(path));
                RemoveEmptyFolders(Path.GetDirectoryName(path)!);
                return Task.FromResult(true);
            }
        );

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Walk only the folder that the prefix names, then compare the rest of it
        var lastSlash = prefix.LastIndexOf('/');
        var folder = lastSlash < 0 ? _root : PathOf(prefix[..lastSlash]);
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        // All of it before the first is handed on: a folder in it that can't be read is the store's refusal, at whatever depth
        var files = await Guarded(
            "list",
            prefix,
            () => Task.FromResult(Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray())
        );
        foreach (var path in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Path.GetFileName(path)[0] == '.')
            {
                continue;
            }

            var key = Path.GetRelativePath(_root, path).Replace(Path.DirectorySeparatorChar, '/');
            var file = new FileInfo(path);
            if (key.StartsWith(prefix, StringComparison.Ordinal) && file.Exists)
            {
                yield return new StoredObject(key, file.Length, file.LastWriteTimeUtc);
            }
        }
    }

    public Task<int> RemoveUnfinishedAsync(DateTimeOffset begunBefore, CancellationToken cancellationToken) =>
        Guarded(
            "clean",
            _root,
            () =>
            {
                var removed = 0;
                if (!Directory.Exists(_root))
                {
                    return Task.FromResult(removed);
                }

                foreach (
                    var file in Directory.EnumerateFiles(
                        _root,
                        ".*.tmp*",
                        new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }
                    )
                )
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (File.GetLastWriteTimeUtc(file) >= begunBefore.UtcDateTime)
                    {
                        continue;
                    }

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
        CancellationToken cancellationToken
    ) => Task.FromResult<Uri?>(null);

    /// <summary>The key's own file. <see cref="ObjectKeys.Checked"/> has refused dots, so the path can't leave the root.</summary>
    private string PathOf(string key) => Path.Combine(_root, ObjectKeys.Checked(key));

    private static string MetaOf(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.meta");

    private static async Task<string> CopyAndHashAsync(string source, string target, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var from = FileChecksum.OpenSequential(source);
        await using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
        var buffer = new byte[1 << 17];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            hash.AppendData(buffer.AsSpan(0, read));
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        to.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task WriteMetaAsync(string path, string contentType, string sha256, CancellationToken cancellationToken)
    {
        var meta = new Dictionary<string, string> { ["content_type"] = contentType, ["sha256"] = sha256 };
        await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        await JsonSerializer.SerializeAsync(file, meta, ContractsJson.Default.DictionaryStringString, cancellationToken);
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
                return; // Somebody put a file there between the look and the delete
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
