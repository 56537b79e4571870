using System.Text.Json;
using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Renderer.Calibration;
using RenderFarm.Testing;

namespace RenderFarm.Renderer.Tests.Calibration;

public sealed class CalibrationRunTests : IDisposable
{
    private static readonly CalibrationSubject Subject = new("card", "GPU-1", "580.1", "2.10.0", "1.0.0");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Measure_BrokenOff_GoesOnWhereItWas()
    {
        List<string> measured = [];
        RatePiece Piece(string name, Func<CardCalibration, CardCalibration> rates) =>
            new(
                name,
                before =>
                {
                    measured.Add(name);
                    return rates(before);
                }
            );
        var first = Piece("first", rates => rates with { Bf16Flops = 1 });
        var killed = Piece("second", _ => throw new OperationCanceledException());
        var second = Piece("second", rates => rates with { AttentionFlops = rates.Bf16Flops + 1 });

        Assert.Throws<OperationCanceledException>(() => CalibrationRun.Measure(_folder.Path, Subject, [first, killed]));
        Assert.Null(CalibrationFiles.Find(_folder.Path, Subject));
        var record = CalibrationRun.Measure(_folder.Path, Subject, [first, second]);

        Assert.Equal(["first", "second", "second"], measured);
        Assert.Equal((1, 2), (record.Rates.Bf16Flops, record.Rates.AttentionFlops));
    }

    [Fact]
    public void Measure_BrokenOffWithAnotherDriver_BeginsAnew()
    {
        CalibrationFiles.WriteUnfinished(
            _folder.Path,
            CalibrationRecord.Begin(Subject with { Driver = "570.1" }) with { Measured = ["first"] }
        );

        var record = CalibrationRun.Measure(_folder.Path, Subject, [new("first", rates => rates with { Bf16Flops = 7 })]);

        Assert.Equal(7, record.Rates.Bf16Flops);
    }

    /// <summary>The real thing on this processor: what a worker asks, what it is told, and what it then finds.</summary>
    [Fact]
    public async Task ProbeAndCalibrate_Processor_KeepRatesUnderTheSubjectThatTheProbeNames()
    {
        using var asked = new RendererProcess("probe", "--device", "cpu");
        var probe = JsonSerializer.Deserialize((await asked.OutputAsync()).Output, ContractsJson.Default.DeviceProbe)!;
        Assert.Null(probe.Fault);
        Assert.Null(CalibrationFiles.Find(_folder.Path, probe.Subject));

        using var measuring = new RendererProcess("calibrate", "--device", "cpu", "--into", _folder.Path, "--json");
        var said = JsonSerializer.Deserialize((await measuring.OutputAsync()).Output, ContractsJson.Default.CardCalibration)!;

        var kept = CalibrationFiles.Find(_folder.Path, probe.Subject)!;
        Assert.Equal(said, kept.Rates);
        Assert.Equal(probe.Subject.Key, said.Key);
        Assert.False(said.IsEstimate);
        Assert.InRange(said.Fp32Flops!.Value, 1e9, 1e14);
        Assert.Single(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public async Task Probe_NoCard_SaysWhyNothingCanRenderThere()
    {
        Assert.SkipWhen(TorchSharp.torch.cuda.is_available(), "a card is here");
        using var asked = new RendererProcess("probe", "--device", "cuda");

        var probe = JsonSerializer.Deserialize((await asked.OutputAsync()).Output, ContractsJson.Default.DeviceProbe)!;

        Assert.Contains("sees no card", probe.Fault, StringComparison.Ordinal);
    }
}
