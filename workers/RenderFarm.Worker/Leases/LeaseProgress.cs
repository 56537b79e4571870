using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Worker.Leases;

/// <summary>What the next renewal will say.</summary>
internal sealed record LeaseProgress(RenderStage Stage, int Step = 0, int Steps = 0, RenderPlan? Plan = null);
