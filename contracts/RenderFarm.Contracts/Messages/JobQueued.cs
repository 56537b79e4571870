namespace RenderFarm.Contracts.Messages;

/// <summary>The bell: something of this VRAM class may be waiting. It names a job only for the log.</summary>
public sealed record JobQueued(string JobId, string VramClass);
