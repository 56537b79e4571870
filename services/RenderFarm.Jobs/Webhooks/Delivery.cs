using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Webhooks;

/// <summary>One event on its way to one video's webhook.</summary>
public sealed record Delivery
{
    public required long EventId { get; init; }

    /// <summary>The event's place in the log, which is its name outside.</summary>
    public required long Position { get; init; }
    public required string JobId { get; init; }
    public required string KeyId { get; init; }
    public required VideoEvent Type { get; init; }
    public required string Url { get; init; }

    /// <summary>The host and port in <see cref="Url"/>.</summary>
    public required string Host { get; init; }
    public required DeliveryState State { get; init; }

    public DeliveryLane Lane => new(KeyId, Host);

    /// <summary>How often it was tried so far.</summary>
    public required int Tries { get; init; }

    /// <summary>Null when it will not be tried again.</summary>
    public DateTimeOffset? NextTryAt { get; init; }
    public required DateTimeOffset OccurredAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The newest tries, oldest first.</summary>
    public IReadOnlyList<DeliveryTry> Log { get; init; } = [];
}

/// <summary>
/// Whose deliveries, and where to: what is slow or dead in one lane delays no other. Of two keys that name one host each has a lane of
/// its own, for one of them may name a path there that never answers.
/// </summary>
public sealed record DeliveryLane(string KeyId, string Host);

/// <summary>One try.</summary>
/// <param name="Status">What the receiver answered; null when it did not answer.</param>
/// <param name="Error">Why it counts as failed; null when it was delivered.</param>
public sealed record DeliveryTry(DateTimeOffset At, double Seconds, int? Status, string? Error);
