using RenderFarm.Architecture.Tests.Namespaces;
using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>No circles within a project: what "uses" means stands at <see cref="NamespaceGraph"/>.</summary>
public sealed class NamespaceTests
{
    private static readonly Dictionary<Project, NamespaceGraph> Graphs = Repository
        .Projects.AsParallel()
        .Select(project => (project, Graph: new NamespaceGraph(project.Sources)))
        .ToDictionary(one => one.project, one => one.Graph);

    [Fact]
    public void Namespaces_OfOneProject_DoNotUseEachOther()
    {
        var findings = new Findings();
        foreach (var graph in Graphs.Values)
        {
            foreach (var (one, other) in graph.Pairs)
            {
                findings.Add($"{one} <-> {other}", $"{Places(graph, one, other)}\n  and{Places(graph, other, one)}");
            }
        }

        findings.AssertNone("Two namespaces use each other. Move what both need below them, or what uses both above them.");
    }

    [Fact]
    public void Namespaces_OfOneProject_FormNoLongerCircle()
    {
        var findings = new Findings();
        foreach (var (project, graph) in Graphs)
        {
            foreach (var circle in graph.Circles)
            {
                findings.Add(project.Name, string.Join(", ", circle));
            }
        }

        findings.AssertNone("These namespaces reach each other in a circle.");
    }

    private static string Places(NamespaceGraph graph, string from, string to) =>
        string.Concat(graph.Places(from, to).Select(place => $"\n    {place}"));
}
