using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>Who may know whom, read from the project files. The picture of it stands in contracts/README.md.</summary>
public sealed class ProjectArrowTests
{
    private static readonly string[] Models = ["Rendering", "Wan", "Inference", "Cuda", "Nvml", "Planning", "Hosting", "Contracts"];

    /// <summary>What each project may know, at first hand or through others.</summary>
    private static readonly Dictionary<string, string[]> MayKnow = new(StringComparer.Ordinal)
    {
        ["Contracts"] = [],
        ["Planning"] = ["Contracts"],
        ["Artifacts"] = ["Hosting", "Contracts"],
        ["Hosting"] = ["Contracts"],
        ["Broker"] = ["Hosting", "Contracts"],
        ["Verbs"] = ["Contracts"],
        ["Jobs"] = ["Planning", "Artifacts", "Hosting", "Contracts"],
        ["Dashboard"] = ["Contracts"],
        ["Api"] = ["Dashboard", "Jobs", "Planning", "Artifacts", "Broker", "Hosting", "Contracts"],
        ["Cli"] = ["Planning", "Hosting", "Verbs", "Contracts"],
        ["Nvml"] = [],
        ["Cuda"] = ["Nvml"],
        ["Inference"] = ["Cuda", "Nvml", "Contracts"],
        ["Wan"] = ["Inference", "Cuda", "Nvml", "Planning", "Contracts"],
        ["Rendering"] = ["Wan", "Inference", "Cuda", "Nvml", "Planning", "Hosting", "Contracts"],
        ["Renderer"] = [.. Models, "Verbs"],
        ["Tools"] = [.. Models, "Verbs"],
        ["Training"] = [.. Models, "Verbs"],
        ["Worker"] = ["Planning", "Broker", "Hosting", "Nvml", "Contracts"],
    };

    private static readonly string[] WithoutPackages = ["Contracts", "Planning", "Nvml"];

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
        var findings = new Findings();
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
                    Assert.True(allowed.Contains(known.Area), $"{project} under {project.Area}/ knows {known} under {known.Area}/")
            );
        }
    }

    /// <summary>At first hand or through others.</summary>
    [Fact]
    public void Packages_OutsideTheRenderer_HoldNoTorch() =>
        Assert.All(
            Product.Where(project => project.Area != "workers" || Short(project) is "Worker" or "Nvml"),
            project => Assert.All(KnownTo(project).Append(project), known => Assert.DoesNotContain(known.Packages, IsTorch))
        );

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
