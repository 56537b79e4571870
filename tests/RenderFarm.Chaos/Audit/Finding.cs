namespace RenderFarm.Chaos.Audit;

/// <summary>A rule of the farm, how many cases of it were looked at, and the cases that broke it.</summary>
internal sealed record Finding(string Rule, long Checked, IReadOnlyList<string> Breaches)
{
    public bool Holds => Breaches.Count == 0;
}
