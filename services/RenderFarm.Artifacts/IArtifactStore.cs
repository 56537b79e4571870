namespace RenderFarm.Artifacts;

/// <summary>Keeps outputs and inputs of jobs by key. Every call may throw <see cref="ArtifactStoreException"/>.</summary>
public interface IArtifactStore
{
    /// <summary>Makes sure the store can be written to (folder or bucket exists). Repeats safely.</summary>
    Task EnsureReadyAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Stores a file. Its content must have the given checksum (lower-case hex), which is kept with the object; an
    /// object is seen whole or not at all. Putting the same content again is harmless.
    /// </summary>
    Task<StoredObject> PutFileAsync(string key, string path, string contentType, string sha256, CancellationToken cancellationToken);

    /// <summary>Null when there is no such object.</summary>
    Task<StoredObject?> StatAsync(string key, CancellationToken cancellationToken);

    /// <summary>The bytes of an object, or the part of them that <paramref name="range"/> names. The caller disposes the stream.</summary>
    /// <exception cref="ArtifactNotFoundException">There is no such object.</exception>
    Task<Stream> OpenReadAsync(string key, ByteRange? range, CancellationToken cancellationToken);

    /// <summary>An object that is not there counts as deleted.</summary>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Objects whose key begins with <paramref name="prefix"/>; checksum and content type are not filled in.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Removes what uploads left behind that began before a time and never ended; no object is touched.</summary>
    /// <returns>How many there were.</returns>
    Task<int> RemoveUnfinishedAsync(DateTimeOffset begunBefore, CancellationToken cancellationToken);

    /// <summary>A link that works without a key for <paramref name="lifetime"/>; null when the store has no such thing.</summary>
    /// <param name="reach">Who will use the link.</param>
    /// <param name="downloadName">File name offered to a browser.</param>
    Task<Uri?> PresignGetAsync(string key, TimeSpan lifetime, LinkReach reach, string? downloadName, CancellationToken cancellationToken);
}

/// <summary>Who follows a link: people outside (<c>Artifacts:PublicEndpoint</c>), or a worker (<c>Artifacts:WorkerEndpoint</c>).</summary>
public enum LinkReach
{
    Public,
    Worker,
}

/// <param name="Sha256">Lower-case hex, as given when the object was put; null for objects that came from elsewhere and in
/// listings.</param>
public sealed record StoredObject(
    string Key,
    long SizeBytes,
    DateTimeOffset LastModified,
    string? ContentType = null,
    string? Sha256 = null
);

/// <summary>Bytes <paramref name="First"/> to <paramref name="Last"/>, both included; null as last means to the end.</summary>
public readonly record struct ByteRange(long First, long? Last = null);
