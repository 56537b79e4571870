namespace RenderFarm.Artifacts;

/// <summary>
/// Uploads in parts by somebody who holds no key of the store. The farm begins and completes each; in between go links, each of which
/// writes one part of one upload and nothing else. What is completed is never written again: not by a link that is left over, nor by
/// another upload of the same object. Every call may throw <see cref="ArtifactStoreException"/>.
/// </summary>
public interface IPartUploads
{
    /// <summary>Goes on with the upload of this object that was begun before, or begins one.</summary>
    /// <returns>The upload's id; null when the object is there already, as promised.</returns>
    /// <exception cref="ArtifactExistsException">The object is there, and is another one than promised.</exception>
    Task<string?> BeginAsync(PromisedObject promised, CancellationToken cancellationToken);

    /// <summary>The parts that have arrived, by their numbers.</summary>
    /// <exception cref="UploadEndedException"/>
    Task<IReadOnlyList<StoredPart>> ListPartsAsync(string key, string uploadId, CancellationToken cancellationToken);

    /// <summary>Where the part may be put by whoever holds the link; null where only <see cref="IPartReceiver"/> takes it.</summary>
    /// <param name="md5">Of the part, in base64: the store takes no other bytes by this link.</param>
    PartTarget? LinkTo(string key, string uploadId, int number, string md5, TimeSpan lifetime);

    /// <summary>Makes the parts, all of them, the object. Repeats safely; of several uploads of one object one is completed.</summary>
    /// <param name="etags">Of all parts in their order: <see cref="StoredPart.Etag"/>.</param>
    /// <exception cref="ArtifactExistsException">The object is there, and is another one than promised.</exception>
    /// <exception cref="ArtifactCorruptException">The parts are not what was promised.</exception>
    /// <exception cref="UploadEndedException"/>
    Task<StoredObject> CompleteAsync(
        PromisedObject promised,
        string uploadId,
        IReadOnlyList<string> etags,
        CancellationToken cancellationToken
    );
}

/// <summary>A store that takes parts by itself, because nobody but this process can write to it.</summary>
public interface IPartReceiver
{
    /// <summary>Keeps a part, once all of it is there and is what was promised. The same part may come again.</summary>
    /// <param name="promised">With its MD5 in hex as the name of its bytes.</param>
    /// <exception cref="ArtifactCorruptException">The bytes are others, or not so many.</exception>
    Task<StoredPart> ReceiveAsync(
        string key,
        string uploadId,
        StoredPart promised,
        Stream content,
        CancellationToken cancellationToken
    );
}

/// <summary>An object as somebody who uploads it says that it will be.</summary>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record PromisedObject(string Key, string ContentType, long SizeBytes, string Sha256)
{
    internal bool IsKeptBy(StoredObject stored) => stored.SizeBytes == SizeBytes && stored.Sha256 == Sha256;

    /// <summary>What there is of it by now; null while there is nothing.</summary>
    /// <exception cref="ArtifactExistsException">It is another object than promised.</exception>
    internal StoredObject? Checked(StoredObject? stored) =>
        stored is null || IsKeptBy(stored) ? stored : throw new ArtifactExistsException(Key);
}

/// <param name="Number">From 1.</param>
/// <param name="Etag">The store's name for the bytes, without quotes: their MD5 in hex, unless the store encrypts.</param>
public sealed record StoredPart(int Number, long SizeBytes, string Etag);

/// <param name="Headers">That have to be sent as they are: they are part of the signature.</param>
public sealed record PartTarget(Uri Address, IReadOnlyDictionary<string, string> Headers);
