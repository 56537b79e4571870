namespace RenderFarm.Verbs.Figures;

/// <summary>Something that holds or does not.</summary>
public sealed record ReportCheck(string Name, bool Holds, string Detail);
