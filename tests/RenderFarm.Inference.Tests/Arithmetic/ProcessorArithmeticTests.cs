using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.SelfTests;

namespace RenderFarm.Inference.Tests.Arithmetic;

public sealed class ProcessorArithmeticTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Whatever processor this is: everything is right in some way.</summary>
    [Fact]
    public void Judge_ThisProcessor_FindsARightWayForEverythingAndKeepsIt()
    {
        var folder = new SelfTestFolder(_scratch["kept"]);
        Assert.Null(ProcessorArithmetic.Find(folder));

        var verdict = ProcessorArithmetic.Judge(folder);

        Assert.All(verdict.Findings, finding => Assert.True(finding.Right, finding.Detail));
        Assert.Equal(
            ["attention", "conv2d", "conv3d", "linear", "linear in bf16", "matmul", "matmul in bf16"],
            verdict.Findings.Select(finding => finding.Case).Order()
        );
        var kept = ProcessorArithmetic.Find(folder)!;
        Assert.Equal(verdict.Key, kept.Key);
        Assert.Equal(verdict.Findings, kept.Findings);
    }
}
