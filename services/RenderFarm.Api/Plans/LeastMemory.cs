using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Plans;

/// <summary>What a job needs at the least.</summary>
/// <param name="VramClass">GiB; 0 runs anywhere.</param>
/// <param name="Bytes">Device bytes below which no plan exists; 0 for class 0.</param>
public sealed record MemoryNeed(int VramClass, long Bytes, double EstimatedSeconds);
