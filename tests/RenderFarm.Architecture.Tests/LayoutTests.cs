using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>Folders and lines.</summary>
public sealed class LayoutTests
{
    private const int Widest = 140;
    private static readonly string[] DrawersWithoutLabels = ["Utils", "Utilities", "Helpers", "Common", "Extensions", "Misc", "Shared"];

    [Fact]
    public void Folders_OfAllProjects_SayWhatTheyHold()
    {
        var findings = new Findings();
        foreach (var folder in Repository.Projects.SelectMany(project => Below(project.Folder)))
        {
            if (DrawersWithoutLabels.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase))
            {
                findings.Add(Repository.Relative(folder), "");
            }
        }

        findings.AssertNone("Put a helper beside its one caller, or give the idea a name.");
    }

    /// <summary>In characters as an editor counts them; what a tool generated (migrations) has its own idea.</summary>
    [Fact]
    public void Lines_OfAllSources_AreAtMost140Columns()
    {
        var findings = new Findings();
        foreach (var file in Repository.Projects.SelectMany(project => project.Sources).Where(file => !file.IsGenerated))
        {
            foreach (var (index, line) in file.Lines.Index().Where(line => line.Item.Length > Widest))
            {
                var columns = line.EnumerateRunes().Count();
                if (columns > Widest)
                {
                    findings.Add(file.Path, $"\n    line {index + 1} has {columns} columns");
                }
            }
        }

        findings.AssertNone($"Lines have at most {Widest} columns.");
    }

    private static IEnumerable<string> Below(string folder) =>
        Repository.FoldersOf(folder).SelectMany(inner => Below(inner).Prepend(inner));
}
