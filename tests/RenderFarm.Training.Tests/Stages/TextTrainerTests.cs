using RenderFarm.Testing;
using RenderFarm.Training.Stages;
using TorchSharp;

namespace RenderFarm.Training.Tests.Stages;

public sealed class TextTrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TextTrainer _trainer;

    public TextTrainerTests() => _trainer = new TextTrainer(SmallRun.Options(_folder.Path), new Journal(TextWriter.Null));

    public void Dispose()
    {
        _trainer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Step_AHundredTimes_ReadsCaptionsBetter()
    {
        var (before, few) = _trainer.Step(4e-3, tell: true);
        for (var i = 0; i < 100; i++)
        {
            _trainer.Step(4e-3, tell: false);
        }

        var (after, more) = _trainer.Step(4e-3, tell: true);

        Assert.True(after < 0.6 * before && more > few + 0.3, $"loss {before:0.00} to {after:0.00}, right {few:0.00} to {more:0.00}");
        Assert.InRange(_trainer.HeldOutShare(), 0, 1);
    }

    [Fact]
    public void Step_AfterTheFirst_LeavesNoTensorBehind()
    {
        _trainer.Step(1e-3, tell: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        for (var i = 0; i < 3; i++)
        {
            _trainer.Step(1e-3, tell: true);
        }

        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, before - 5, before);
    }
}
