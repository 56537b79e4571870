using Microsoft.CodeAnalysis.CSharp.Syntax;
using RenderFarm.Architecture.Tests.Tree;

namespace RenderFarm.Architecture.Tests;

/// <summary>
/// What a processor may get wrong is asked for in one place, which knows the way that is right on it
/// (<c>workers/RenderFarm.Inference/Arithmetic</c>).
/// </summary>
public sealed class ArithmeticTests
{
    private const string Judged = "workers/RenderFarm.Inference/Arithmetic/";
    private static readonly string[] Engine = ["RenderFarm.Inference", "RenderFarm.Wan", "RenderFarm.Rendering"];
    private static readonly string[] Operations = ["conv1d", "conv2d", "conv3d", "linear", "scaled_dot_product_attention"];

    [Fact]
    public void ConvolutionsAndProducts_OfTheEngine_AreTheJudgedOnes()
    {
        var findings = new Findings();
        var sources = Repository.Projects.Where(project => Engine.Contains(project.Name)).SelectMany(project => project.Sources);
        foreach (var file in sources.Where(file => !file.Path.StartsWith(Judged, StringComparison.Ordinal)))
        {
            foreach (var call in file.Syntax.DescendantNodes().OfType<InvocationExpressionSyntax>())
            {
                if (
                    call.Expression
                    is MemberAccessExpressionSyntax
                    {
                        Name.Identifier.ValueText: var name,
                        Expression: MemberAccessExpressionSyntax { Name.Identifier.ValueText: "functional" },
                    }
                    && Operations.Contains(name, StringComparer.Ordinal)
                )
                {
                    findings.Add(file.Path, $"\n    line {file.LineOf(call)}: {name}");
                }
            }
        }

        findings.AssertNone("Call Convolution, Product or HeadAttention instead: they take the way that is right on this processor.");
    }
}
