using System.Text.RegularExpressions;
using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>A document that points at something that has moved is worse than none.</summary>
public sealed partial class DocumentTests
{
    private const string Decisions = "docs/decisions";

    [Fact]
    public void Documents_Links_LeadSomewhere()
    {
        var lost =
            from file in Documents()
            from target in Link().Matches(WithoutCode(file)).Select(link => link.Groups[1].Value)
            where !target.Contains(':', StringComparison.Ordinal) && !target.StartsWith('#')
            where !Path.Exists(Path.Combine(Path.GetDirectoryName(file)!, target.Split('#')[0]))
            select $"{Repository.Relative(file)}: {target}";

        Assert.True(!lost.Any(), string.Join("\n", lost));
    }

    /// <summary>Paths in code type: <c>services/RenderFarm.Jobs/README.md</c>; a type without its <c>.cs</c> counts as the file.</summary>
    [Fact]
    public void Documents_PathsFromTheRoot_AreThere()
    {
        var lost =
            from file in Documents()
            from path in PathFromRoot().Matches(WithoutCode(file)).Select(path => path.Groups[1].Value)
            let full = Path.Combine(Repository.Root, path)
            where !Path.Exists(full) && !File.Exists(full + ".cs")
            select $"{Repository.Relative(file)}: {path}";

        Assert.True(!lost.Any(), string.Join("\n", lost));
    }

    [Fact]
    public void Decisions_EveryRecord_IsInTheIndexAndHasItsParts()
    {
        var folder = Path.Combine(Repository.Root, Decisions);
        var index = File.ReadAllText(Path.Combine(folder, "README.md"));
        foreach (var record in Directory.EnumerateFiles(folder, "????-*.md"))
        {
            var name = Path.GetFileName(record);
            var text = File.ReadAllText(record);
            Assert.StartsWith($"# {name[..4]}: ", text, StringComparison.Ordinal);
            Assert.Contains($"[{name[..4]}]({name})", index, StringComparison.Ordinal);
            Assert.All(
                ["Context", "Choice", "Consequence", "What would change it"],
                part => Assert.Contains($"\n## {part}\n", text, StringComparison.Ordinal)
            );
        }
    }

    private static IEnumerable<string> Documents() => Repository.FilesOf(Repository.Root, "*.md");

    private static string WithoutCode(string file) => Fence().Replace(File.ReadAllText(file), "");

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`((?:contracts|services|workers|tests|deploy|docs)/[\w./-]+)`")]
    private static partial Regex PathFromRoot();
}
