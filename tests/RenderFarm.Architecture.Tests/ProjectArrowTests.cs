using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>Who may know whom, read from the project files. The picture of it stands in contracts/README.md.</summary>
public sealed class ProjectArrowTests
{
    private static readonly string[] Models = ["Rendering", "Wan", "Inference", "Cuda", "Nvml", "Planning", "Checkpoints", "Contracts"];

    /// <summary>What each project may know, at first hand or through others.</summary>
    private static readonly Dictionary<string, string[]> MayKnow = new(StringComparer.Ordinal)
    {
        ["Contracts"] = [],
        ["Planning"] = ["Contracts"],
        ["Checkpoints"] = ["Contracts"],
        ["Artifacts"] = ["Contracts"],
        ["Hosting"] = ["Contracts"],
        ["Storage"] = ["Artifacts", "Hosting", "Contracts"],
        ["Jobs"] = ["Planning", "Artifacts", "Hosting", "Storage", "Contracts"],
        ["Api"] = ["Jobs", "Planning", "Artifacts", "Hosting", "Storage", "Contracts"],
        ["Dashboard"] = ["Jobs", "Planning", "Artifacts", "Hosting", "Storage", "Contracts"],
        ["Cli"] = ["Planning", "Checkpoints", "Hosting", "Contracts"],
        ["Nvml"] = [],
        ["Cuda"] = ["Nvml"],
        ["Inference"] = ["Cuda", "Nvml", "Checkpoints", "Contracts"],
        ["Wan"] = ["Inference", "Cuda", "Nvml", "Planning", "Checkpoints", "Contracts"],
        ["Rendering"] = ["Wan", "Inference", "Cuda", "Nvml", "Planning", "Checkpoints", "Contracts"],
        ["Renderer"] = [.. Models, "Hosting"],
        ["Tools"] = [.. Models, "Hosting"],
        ["Training"] = Models,
        ["Worker"] = ["Planning", "Artifacts", "Hosting", "Storage", "Nvml", "Checkpoints", "Contracts"],
    };

    private static readonly string[] WithoutPackages = ["Contracts", "Planning", "Checkpoints", "Nvml"];

    private static readonly Dictionary<string, Project> All = Repository.Projects.ToDictionary(
        project => project.Name,
        StringComparer.Ordinal
    );

    private static IEnumerable<Project> Product =>
        Repository.Projects.Where(project => project.Area is "contracts" or "services" or "workers");

    [Fact]
    public void References_OfAllProjects_FormNoCircle() =>
        Assert.DoesNotContain(Repository.Projects, project => KnownTo(project).Contains(project));

    [Fact]
    public void References_OfEachProject_AreAmongTheArrows()
    {
        var findings = new Findings(TodaysExceptions.Arrows);
        foreach (var project in Product)
        {
            if (!MayKnow.TryGetValue(Short(project), out var allowed))
            {
                findings.Add(project.Name, "it is new: say here what it may know");
                continue;
            }

            foreach (var known in KnownTo(project).Where(known => !allowed.Contains(Short(known), StringComparer.Ordinal)))
            {
                findings.Add($"{project} -> {known}", $"it may know {string.Join(", ", allowed)}");
            }
        }

        findings.AssertNone("A project knows another one that the plan of the house keeps from it.");
    }

    [Fact]
    public void References_AcrossTheFence_AreNone()
    {
        foreach (var project in Product)
        {
            string[] allowed = project.Area == "contracts" ? ["contracts"] : ["contracts", project.Area];
            Assert.All(
                KnownTo(project),
                known =>
                    Assert.True(
                        allowed.Contains(known.Area) || TodaysExceptions.Arrows.Contains($"{project} -> {known}"),
                        $"{project} under {project.Area}/ knows {known} under {known.Area}/"
                    )
            );
        }
    }

    [Theory]
    [InlineData("Worker")]
    [InlineData("Api")]
    [InlineData("Jobs")]
    [InlineData("Cli")]
    [InlineData("Dashboard")]
    [InlineData("Storage")]
    [InlineData("Contracts")]
    [InlineData("Planning")]
    [InlineData("Artifacts")]
    [InlineData("Checkpoints")]
    [InlineData("Hosting")]
    public void Packages_OutsideTheRenderer_HoldNoTorch(string name)
    {
        if (!All.TryGetValue($"RenderFarm.{name}", out var project))
        {
            return; // not there yet
        }

        Assert.All(KnownTo(project).Append(project), known => Assert.DoesNotContain(known.Packages, IsTorch));
    }

    [Fact]
    public void Packages_OfWhatEverybodyKnows_AreNone() =>
        Assert.All(Product.Where(project => WithoutPackages.Contains(Short(project))), project => Assert.Empty(project.Packages));

    private static bool IsTorch(string package) =>
        package.StartsWith("TorchSharp", StringComparison.OrdinalIgnoreCase)
        || package.StartsWith("libtorch", StringComparison.OrdinalIgnoreCase);

    private static string Short(Project project) => project.Name["RenderFarm.".Length..];

    private static HashSet<Project> KnownTo(Project project)
    {
        var known = new HashSet<Project>();
        var open = new Stack<Project>([project]);
        while (open.TryPop(out var at))
        {
            foreach (var next in at.References.Select(name => All[name]).Where(known.Add))
            {
                open.Push(next);
            }
        }

        return known;
    }
}
