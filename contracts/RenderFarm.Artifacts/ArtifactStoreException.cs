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
