using RenderFarm.Hosting.Loops;

namespace RenderFarm.Artifacts;

/// <summary>A store could not do what it was asked.</summary>
public class ArtifactStoreException : Exception, IOutage
{
    public ArtifactStoreException(string message, bool isTransient, Exception? inner = null)
        : base(message, inner) => IsTransient = isTransient;

    /// <summary>The store is away, full or slow: the same call may work later.</summary>
    public bool IsTransient { get; }

    public string Cause => Message;
}

public sealed class ArtifactNotFoundException(string key, Exception? inner = null)
    : ArtifactStoreException($"no object '{key}' in the artifact store", isTransient: false, inner);

/// <summary>The bytes are not the ones that were promised.</summary>
public sealed class ArtifactCorruptException(string message) : ArtifactStoreException(message, isTransient: false);

/// <summary>What is complete stays as it is.</summary>
public sealed class ArtifactExistsException(string key)
    : ArtifactStoreException($"'{key}' is stored already, and is another one than was promised now", isTransient: false);

/// <summary>The upload was completed, ended or never begun: it takes nothing more.</summary>
public sealed class UploadEndedException(string key, Exception? inner = null)
    : ArtifactStoreException($"there is no such upload of '{key}', or no more", isTransient: false, inner);
