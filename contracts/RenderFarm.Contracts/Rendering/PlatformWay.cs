namespace RenderFarm.Contracts.Rendering;

/// <summary>How something is done on a host: as everywhere, or round what the platform lacks.</summary>
/// <param name="Subject">What <c>RENDERFARM_WAYS</c> calls it.</param>
/// <param name="Finding">In words, with what it costs.</param>
/// <param name="IsUsual">Nothing is lacking.</param>
public sealed record PlatformWay(string Subject, string Finding, bool IsUsual);
