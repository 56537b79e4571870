using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests.Namespaces;

/// <summary>The rule's own trial: what counts as a use of another namespace.</summary>
public sealed class NamespaceGraphTests
{
    [Fact]
    public void Pairs_UsingsBothWays_AreFound() =>
        Assert.Equal(
            [("Farm.A", "Farm.B")],
            PairsOf("using Farm.B; namespace Farm.A; class One;", "using Farm.A; namespace Farm.B; class Two;")
        );

    [Fact]
    public void Pairs_OneWayOnly_AreNone() =>
        Assert.Empty(PairsOf("using Farm.B; namespace Farm.A; class One;", "namespace Farm.B; class Two;"));

    [Fact]
    public void Pairs_ChildNamesATypeOfItsParent_CountsWithoutUsing() =>
        Assert.Equal(
            [("Farm", "Farm.A")],
            PairsOf("using Farm.A; namespace Farm; class Top;", "namespace Farm.A; class One { Top? top; }")
        );

    [Fact]
    public void Pairs_PartialName_CountsWithoutUsing() =>
        Assert.Equal(
            [("Farm.A", "Farm.B")],
            PairsOf("namespace Farm.A; class One { void Go() => B.Two.Do(); }", "using Farm.A; namespace Farm.B; class Two;")
        );

    [Fact]
    public void Pairs_NearerTypeOfTheSameName_GoesBeforeTheParents() =>
        Assert.Empty(PairsOf("using Farm.A; namespace Farm; class Top;", "namespace Farm.A; class Top; class One { Top? top; }"));

    [Fact]
    public void Pairs_MemberOfTheSameName_IsNoType() =>
        Assert.Empty(
            PairsOf(
                "using Farm.A; namespace Farm; class Top;",
                "namespace Farm.A; class One { string Top => \"\"; int Length => Top.Length; }"
            )
        );

    [Fact]
    public void Pairs_NameInAComment_IsNoUse() =>
        Assert.Empty(PairsOf("using Farm.A; namespace Farm; class Top;", "namespace Farm.A; /// <see cref=\"Top\"/>\nclass One;"));

    [Fact]
    public void Circles_OverThreeNamespaces_AreFound()
    {
        var graph = GraphOf(
            "using Farm.B; namespace Farm.A; class One;",
            "using Farm.C; namespace Farm.B; class Two;",
            "using Farm.A; namespace Farm.C; class Three;"
        );
        Assert.Empty(graph.Pairs);
        Assert.Equal(["Farm.A", "Farm.B", "Farm.C"], Assert.Single(graph.Circles));
    }

    private static IEnumerable<(string, string)> PairsOf(params string[] sources) => GraphOf(sources).Pairs;

    private static NamespaceGraph GraphOf(params string[] sources) =>
        new([.. sources.Select((text, index) => new SourceFile($"{index}.cs", text))]);
}
