using Microsoft.CodeAnalysis.CSharp.Syntax;
using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>What goes on beside requests is a loop under the supervisor: what falls out of anything else is seen by nobody.</summary>
public sealed class LoopTests
{
    private const string TheOne = "LoopHost";

    [Fact]
    public void BackgroundServices_OfTheProduct_AreTheOneThatRunsTheLoops()
    {
        var findings = new Findings();
        var found = 0;
        foreach (var file in Repository.Projects.Where(project => project.Area != "tests").SelectMany(project => project.Sources))
        {
            foreach (var type in file.Syntax.DescendantNodes().OfType<ClassDeclarationSyntax>())
            {
                var bases = type.BaseList?.Types.Select(one => one.Type.ToString()) ?? [];
                if (!bases.Any(name => name is "BackgroundService" or "IHostedService" or "IHostedLifecycleService"))
                {
                    continue;
                }

                found++;
                if (type.Identifier.ValueText != TheOne)
                {
                    findings.Add(file.Path, $"\n    line {file.LineOf(type)}: {type.Identifier.ValueText}");
                }
            }
        }

        findings.AssertNone("Make it an ILoop: the supervisor begins it again whatever falls out of it.");
        Assert.Equal(1, found);
    }
}
