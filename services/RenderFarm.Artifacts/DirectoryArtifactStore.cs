using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Artifacts;

/// <summary>
/// Artifacts in a folder, laid out as <see cref="ArtifactFolder"/> has it. Metadata is written first, and the object's own rename is
/// what makes it visible.
/// </summary>
public sealed class DirectoryArtifactStore(string root) : IArtifactStore
{
    private readonly ArtifactFolder _folder = new(root);

    public Task EnsureReadyAsync(CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync(
            "prepare",
            _folder.Root,
            () =>
            {
                Directory.CreateDirectory(_folder.Root);
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
        ArtifactFolder.GuardedAsync(
            "store",
            key,
            async () =>
            {
                var target = _folder.PathOf(key);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                var temporary = ArtifactFolder.NewTemporaryOf(target);
                try
                {
                    var actual = await CopyAndHashAsync(path, temporary, cancellationToken);
                    if (actual != sha256)
                    {
                        throw new ArtifactCorruptException(
                            $"{path} has SHA-256 {actual}, promised was {sha256}: nothing was stored as '{key}'"
                        );
                    }

                    await ArtifactFolder.PublishAsync(temporary, target, contentType, sha256, cancellationToken);
                }
                finally
                {
                    File.Delete(temporary);
                }

                return await StatAsync(key, cancellationToken) ?? throw new ArtifactNotFoundException(key);
            }
        );

    public Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync("look up", key, () => _folder.StatAsync(key, cancellationToken));

    public Task<Stream> OpenReadAsync(string key, ByteRange? range, CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync(
            "read",
            key,
            () =>
            {
                var path = _folder.PathOf(key);
                if (!File.Exists(path))
                {
                    throw new ArtifactNotFoundException(key);
                }

                var file = FileChecksum.OpenSequential(path);
                return Task.FromResult<Stream>(
                    range is var (first, last) ? new FilePartStream(file, first, (last ?? file.Length) - first + 1) : file
                );
            }
        );

    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync(
            "delete",
            key,
            () =>
            {
                var path = _folder.PathOf(key);
                if (!File.Exists(path))
                {
                    return Task.FromResult(true);
                }

                File.Delete(path);
                File.Delete(ArtifactFolder.MetaOf(path));
                _folder.RemoveEmptyFolders(Path.GetDirectoryName(path)!);
                return Task.FromResult(true);
            }
        );

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Walk only the folder that the prefix names, then compare the rest of it
        var lastSlash = prefix.LastIndexOf('/');
        var folder = lastSlash < 0 ? _folder.Root : _folder.PathOf(prefix[..lastSlash]);
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        // All of it before the first is handed on: a folder in it that can't be read is the store's refusal, at whatever depth
        var files = await ArtifactFolder.GuardedAsync(
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

            var key = Path.GetRelativePath(_folder.Root, path).Replace(Path.DirectorySeparatorChar, '/');
            var file = new FileInfo(path);
            if (key.StartsWith(prefix, StringComparison.Ordinal) && file.Exists)
            {
                yield return new StoredObject(key, file.Length, file.LastWriteTimeUtc);
            }
        }
    }

    public Task<int> RemoveUnfinishedAsync(DateTimeOffset begunBefore, CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync(
            "clean",
            _folder.Root,
            () =>
            {
                var removed = 0;
                if (!Directory.Exists(_folder.Root))
                {
                    return Task.FromResult(removed);
                }

                var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None };
                foreach (var file in Directory.EnumerateFiles(_folder.Root, ArtifactFolder.Unfinished, all))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (File.GetLastWriteTimeUtc(file) >= begunBefore.UtcDateTime)
                    {
                        continue;
                    }

                    File.Delete(file);
                    _folder.RemoveEmptyFolders(Path.GetDirectoryName(file)!);
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

    private static async Task<string> CopyAndHashAsync(string source, string target, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var from = FileChecksum.OpenSequential(source);
        await using var to = ArtifactFolder.CreateNew(target);
        await ArtifactFolder.CopyAsync(from, to, hash, cancellationToken);
        to.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
