using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Dashboard.Farm;

/// <summary><c>GET /v1/workers</c>.</summary>
public sealed record WorkersRecord(IReadOnlyList<WorkerRecord> Data, IReadOnlyList<UnheldRecord>? Unheld);

/// <summary>A model that videos wait for and that no connected worker has whole.</summary>
public sealed record UnheldRecord(string Model);

public sealed record WorkerRecord
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Host { get; init; }
    public required string Version { get; init; }
    public WorkerStatus Status { get; init; }
    public IReadOnlyList<SlotRecord> Slots { get; init; } = [];
    public IReadOnlyList<string> Models { get; init; } = [];
    public IReadOnlyList<HeldRecord> Held { get; init; } = [];
    public long SeenAt { get; init; }
    public string? Warning { get; init; }

    /// <summary>Somebody has to see to it.</summary>
    public bool NeedsCare => Warning is not null || Slots.Any(slot => slot.Quarantine is not null);
}

public sealed record SlotRecord
{
    public required string Id { get; init; }
    public required string Card { get; init; }
    public string? Driver { get; init; }
    public long TotalBytes { get; init; }
    public RatesOrigin Rates { get; init; }
    public SlotQuarantine? Quarantine { get; init; }

    /// <summary>Without its maker, which every card's name begins with.</summary>
    public string ShortCard => Card.StartsWith("NVIDIA ", StringComparison.Ordinal) ? Card["NVIDIA ".Length..] : Card;
}

/// <param name="VideoId">Null when the video is not the visitor's.</param>
public sealed record HeldRecord(string Slot, RenderStage Stage, string? VideoId);

/// <summary><c>GET /v1/queue</c>.</summary>
public sealed record QueueRecord(IReadOnlyList<PauseRecord> Paused, IReadOnlyList<LaneRecord> Classes)
{
    public bool IsPaused(string? model) => Paused.Any(pause => pause.Key is null && pause.Model == model);
}

/// <param name="Model">Null: any.</param>
/// <param name="Key">Null: any.</param>
public sealed record PauseRecord(string? Model, string? Key, long Since);

public sealed record LaneRecord
{
    public int VramClass { get; init; }
    public required string Model { get; init; }
    public int Queued { get; init; }
    public double? OldestSeconds { get; init; }
    public double GpuSeconds { get; init; }
    public double PerHour { get; init; }
}

/// <param name="Join">Only in the answer to its making.</param>
public sealed record InvitationRecord(string Id, string? Name, long ExpiresAt, int UsesLeft, string? Join);

public sealed record KeyRecord
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public IReadOnlyList<string> Scopes { get; init; } = [];
    public int PriorityCeiling { get; init; }
    public QuotasRecord Quotas { get; init; } = new(null, null, null);
    public int? RequestsPerMinute { get; init; }
    public UsageRecord Usage { get; init; } = new(0, 0, 0);
    public long CreatedAt { get; init; }
    public string? Class { get; init; }
    public long? ExpiresAt { get; init; }

    /// <summary>Until then the secret before the newest works too.</summary>
    public long? FormerUntil { get; init; }

    /// <summary>The worker that made it when it joined.</summary>
    public string? Worker { get; init; }

    /// <summary>The secret: only in the answer to its making.</summary>
    public string? Key { get; init; }
    public string? WebhookSecret { get; init; }
}

public sealed record QuotasRecord(int? Queued, int? Running, int? PerDay);

public sealed record UsageRecord(int Queued, int Running, int Today);

public sealed record FarmBatchRecord
{
    public required string Id { get; init; }
    public required string Status { get; init; }
    public int Total { get; init; }
    public int Progress { get; init; }
    public required BatchCountsRecord Counts { get; init; }
    public long CreatedAt { get; init; }
}

public sealed record BatchCountsRecord(int Queued, int InProgress, int Completed, int Failed, int Cancelled);

/// <summary><c>POST /v1/videos/bulk</c>.</summary>
public sealed record BulkRecord(int Matched, int Done);

/// <summary>A stored object that no row knows of.</summary>
public sealed record StrangerRecord(string Key, long SizeBytes, long LastModified);

/// <summary><c>GET /v1/alerts</c>.</summary>
/// <param name="Configured">False: the farm knows no Alertmanager.</param>
public sealed record AlertsRecord(bool Configured, IReadOnlyList<AlertRecord> Data);

public sealed record AlertRecord(string Name, string? Severity, string? Summary, string? Description, string? RunbookUrl, long Since);

/// <summary><c>GET /v1/settings</c>.</summary>
public sealed record SettingsRecord(IReadOnlyList<SettingRecord> Data);

/// <param name="Value">Of a secret: three stars.</param>
public sealed record SettingRecord(string Key, string? Value);
