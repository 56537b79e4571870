namespace RenderFarm.Contracts.Leases;

/// <summary>
/// <c>POST /worker/v1/enroll</c>, the one call of a worker that needs no key: it makes one. Repeats safely: the same secret is the same
/// enrolment, which is how a worker that starts again hears what the farm has for it.
/// </summary>
public sealed record EnrollRequest
{
    public const string SecretPrefix = "rf_";

    /// <summary>Hex digits after <see cref="SecretPrefix"/>.</summary>
    public const int SecretDigits = 64;

    /// <summary>Of an invitation; not looked at when the secret has enrolled before.</summary>
    public string Token { get; init; } = "";

    /// <summary>The worker's own key from now on. It makes it at random, and the farm keeps its digest alone.</summary>
    public required string Secret { get; init; }

    /// <inheritdoc cref="RegisterWorkerRequest.Identity"/>
    public required string Identity { get; init; }
    public required string Name { get; init; }
    public required string Host { get; init; }
    public required string Version { get; init; }

    /// <inheritdoc cref="RegisterWorkerRequest.Protocol"/>
    public int Protocol { get; init; }
}

public sealed record EnrollReply
{
    public required string WorkerId { get; init; }

    /// <summary>Where bells ring, with a user that hears them and nothing else; null: work comes by long poll alone.</summary>
    public WorkerBus? Bus { get; init; }

    /// <summary>The newest that the API speaks.</summary>
    public int Protocol { get; init; }
}

/// <param name="Uri"><c>amqp://worker_…:password@host:port/vhost</c>; never written to a disk.</param>
public sealed record WorkerBus(string Uri);
