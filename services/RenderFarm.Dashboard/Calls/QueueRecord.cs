namespace RenderFarm.Dashboard.Calls;

/// <summary><c>GET /v1/queue</c>: what the row on top says of it.</summary>
public sealed record QueueRecord(IReadOnlyList<PausedRecord> Paused, IReadOnlyList<LaneRecord> Classes);

public sealed record PausedRecord(string? Model, string? Key);

public sealed record LaneRecord(string Model, int VramClass, int Queued, double? OldestSeconds, double GpuSeconds, int PerHour);

/// <summary><c>GET /v1/workers</c>, as far as the row on top needs it.</summary>
public sealed record CrewRecord(IReadOnlyList<CrewMember> Data, IReadOnlyList<UnheldRecord> Unheld);

public sealed record CrewMember(string Status, IReadOnlyList<object> Slots, IReadOnlyList<object> Held);

public sealed record UnheldRecord(string Model);
