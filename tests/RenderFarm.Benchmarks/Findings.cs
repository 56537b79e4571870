using System.Text.Json.Nodes;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks;

/// <summary>What a part found: the figures that count, and everything they came from.</summary>
internal sealed record Findings(IReadOnlyList<Figure> Figures, JsonObject Details);
