using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Artifacts;

/// <summary>
/// Uploads in parts into a folder. A part is a file beside the object to be, and what it is stands in its name; an upload is what has
/// that object's name and checksum. So there is nothing to begin, and a process that is started anew goes on with the parts it finds.
/// Parts are copied together: whoever still writes to one of them writes to no object.
/// </summary>
public sealed class DirectoryPartUploads(string root) : IPartUploads, IPartReceiver, IDisposable
{
    /// <summary>Of the checksum that names an upload, and of the MD5 that names a part.</summary>
    private const int HexLength = 32;

    private readonly ArtifactFolder _folder = new(root);

    /// <summary>Of two uploads of one object, the second finds what the first has published.</summary>
    private readonly SemaphoreSlim _publishing = new(1);

    public Task<string?> BeginAsync(PromisedObject promised, CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync<string?>(
            "begin the upload of",
            promised.Key,
            async () => await FindAsync(promised, cancellationToken) is null ? promised.Sha256[..HexLength] : null
        );

    public Task<IReadOnlyList<StoredPart>> ListPartsAsync(string key, string uploadId, CancellationToken cancellationToken) =>
        ArtifactFolder.GuardedAsync<IReadOnlyList<StoredPart>>(
            "list the parts of",
            key,
            () => Task.FromResult<IReadOnlyList<StoredPart>>([.. PartsOf(key, uploadId).Select(found => found.Part)])
        );

    /// <summary>Nobody but this process can write to the folder.</summary>
    public PartTarget? LinkTo(string key, string uploadId, int number, string md5, TimeSpan lifetime) => null;

    public Task<StoredPart> ReceiveAsync(
        string key,
        string uploadId,
        StoredPart promised,
        Stream content,
        CancellationToken cancellationToken
    ) =>
        ArtifactFolder.GuardedAsync(
            "store a part of",
            key,
            async () =>
            {
                var target = _folder.PathOf(key);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                var temporary = ArtifactFolder.NewTemporaryOf(target);
                try
                {
                    var got = await WriteAsync(temporary, promised.Number, content, cancellationToken);
                    if (got != promised)
                    {
                        throw new ArtifactCorruptException(
                            $"part {promised.Number} of '{key}' has {got.SizeBytes} bytes with MD5 {got.Etag}; promised were "
                                + $"{promised.SizeBytes} with {promised.Etag}"
                        );
                    }

                    DurableFile.Publish(temporary, PathOf(target, uploadId, got.Number, got.Etag));
                    return got;
                }
                finally
                {
                    File.Delete(temporary);
                }
            }
        );

    public Task<StoredObject> CompleteAsync(
        PromisedObject promised,
        string uploadId,
        IReadOnlyList<string> etags,
        CancellationToken cancellationToken
    ) =>
        ArtifactFolder.GuardedAsync(
            "complete the upload of",
            promised.Key,
            async () =>
            {
                if (await FindAsync(promised, cancellationToken) is { } there)
                {
                    return there;
                }

                var target = _folder.PathOf(promised.Key);
                var temporary = ArtifactFolder.NewTemporaryOf(target);
                try
                {
                    await JoinAsync(promised, uploadId, etags, temporary, cancellationToken);
                    var stored = await PublishAsync(promised, temporary, target, cancellationToken);
                    RemoveParts(promised.Key, uploadId);
                    return stored;
                }
                catch (Exception fault) when (fault is ArtifactCorruptException or ArtifactExistsException)
                {
                    RemoveParts(promised.Key, uploadId);
                    throw;
                }
                finally
                {
                    if (File.Exists(temporary))
                    {
                        File.Delete(temporary);
                    }
                }
            }
        );

    public void Dispose() => _publishing.Dispose();

    private async Task<StoredObject?> FindAsync(PromisedObject promised, CancellationToken cancellationToken) =>
        promised.Checked(await _folder.StatAsync(promised.Key, cancellationToken));

    [SuppressMessage("Security", "CA5351", Justification = "Finds what was damaged on the way; the whole is held to its SHA-256.")]
    private static async Task<StoredPart> WriteAsync(string path, int number, Stream content, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        await using var file = ArtifactFolder.CreateNew(path);
        var size = await ArtifactFolder.CopyAsync(content, file, hash, cancellationToken);
        file.Flush(flushToDisk: true);
        return new StoredPart(number, size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>All parts one after the other, with the checksum that was promised of the whole.</summary>
    private async Task JoinAsync(
        PromisedObject promised,
        string uploadId,
        IReadOnlyList<string> etags,
        string temporary,
        CancellationToken cancellationToken
    )
    {
        var target = _folder.PathOf(promised.Key);
        string[] paths = [.. etags.Index().Select(part => PathOf(target, uploadId, part.Index + 1, part.Item))];
        if (!paths.All(File.Exists))
        {
            throw new UploadEndedException(promised.Key);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var whole = ArtifactFolder.CreateNew(temporary);
        var size = 0L;
        foreach (var path in paths)
        {
            await using var content = FileChecksum.OpenSequential(path);
            size += await ArtifactFolder.CopyAsync(content, whole, hash, cancellationToken);
        }

        whole.Flush(flushToDisk: true);
        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (size != promised.SizeBytes || actual != promised.Sha256)
        {
            throw new ArtifactCorruptException(
                $"the parts of '{promised.Key}' are {size} bytes with SHA-256 {actual}; promised were {promised.SizeBytes} with "
                    + promised.Sha256
            );
        }
    }

    private async Task<StoredObject> PublishAsync(
        PromisedObject promised,
        string temporary,
        string target,
        CancellationToken cancellationToken
    )
    {
        await _publishing.WaitAsync(cancellationToken);
        try
        {
            if (await FindAsync(promised, cancellationToken) is { } there)
            {
                return there;
            }

            await ArtifactFolder.PublishAsync(temporary, target, promised.ContentType, promised.Sha256, cancellationToken);
            return await FindAsync(promised, cancellationToken) ?? throw new ArtifactNotFoundException(promised.Key);
        }
        finally
        {
            _publishing.Release();
        }
    }

    private void RemoveParts(string key, string uploadId)
    {
        foreach (var (path, _) in PartsOf(key, uploadId))
        {
            File.Delete(path);
        }
    }

    private List<(string Path, StoredPart Part)> PartsOf(string key, string uploadId)
    {
        var target = _folder.PathOf(key);
        var folder = Path.GetDirectoryName(target)!;
        var found = new List<(string Path, StoredPart Part)>();
        if (!Directory.Exists(folder))
        {
            return found;
        }

        var pattern = Path.GetFileName(ArtifactFolder.TemporaryOf(target, $"{Hex(uploadId)}.*"));
        foreach (var path in Directory.EnumerateFiles(folder, pattern, new EnumerationOptions { AttributesToSkip = FileAttributes.None }))
        {
            // .{name}.{id}.{number}.{md5}.tmp
            var parts = Path.GetFileName(path).Split('.');
            if (parts.Length > 4 && int.TryParse(parts[^3], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                found.Add((path, new StoredPart(number, new FileInfo(path).Length, parts[^2])));
            }
        }

        found.Sort((one, other) => one.Part.Number.CompareTo(other.Part.Number));
        return found;
    }

    private static string PathOf(string target, string uploadId, int number, string etag) =>
        ArtifactFolder.TemporaryOf(target, string.Create(CultureInfo.InvariantCulture, $"{Hex(uploadId)}.{number:00000}.{Hex(etag)}"));

    /// <summary>Ids and names of parts are parts of file names, and come from outside: what is none names nothing that there is.</summary>
    private static string Hex(string text) =>
        text.Length == HexLength && text.All(char.IsAsciiHexDigitLower)
            ? text
            : throw new UploadEndedException(text);
}
