using RenderFarm.Contracts.Calibration;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Contracts.Tests.Calibration;

public sealed class CalibrationFilesTests : IDisposable
{
    private static readonly CalibrationSubject Subject = new(
        "NVIDIA H100 80GB HBM3",
        "GPU-1",
        "580.1",
        "2.10.0+cu130, libtorch_cpu.so of 4 bytes",
        "1.0.0"
    );

    private readonly string _folder = Directory.CreateTempSubdirectory("rates-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Find_Written_IsWhatWasWritten()
    {
        var record = CalibrationRecord.Begin(Subject) with
        {
            Rates = new CardCalibration { Key = Subject.Key, Bf16Flops = 7e14 },
            Measured = ["bf16"],
        };
        CalibrationFiles.Write(_folder, record);

        var found = CalibrationFiles.Find(_folder, Subject)!;

        Assert.Equal((record.Subject, record.Rates), (found.Subject, found.Rates));
        Assert.Equal(record.Measured, found.Measured);
    }

    /// <summary>The rates of the driver before are better than an estimate, and say whose they are.</summary>
    [Fact]
    public void Find_AnotherDriver_IsFoundAndNamesIt()
    {
        CalibrationFiles.Write(_folder, CalibrationRecord.Begin(Subject with { Driver = "570.1" }));

        Assert.Equal("570.1", CalibrationFiles.Find(_folder, Subject)?.Subject.Driver);
        CalibrationFiles.Write(_folder, CalibrationRecord.Begin(Subject));
        Assert.Equal("580.1", CalibrationFiles.Find(_folder, Subject)?.Subject.Driver);
        Assert.Single(Directory.EnumerateFiles(_folder));
    }

    [Fact]
    public void Find_AnotherCardLibTorchOrVersion_IsNull()
    {
        CalibrationFiles.Write(_folder, CalibrationRecord.Begin(Subject));

        Assert.All(
            [Subject with { Uuid = "GPU-2" }, Subject with { LibTorch = "2.11.0+cu130" }, Subject with { Version = "1.0.1" }],
            other => Assert.Null(CalibrationFiles.Find(_folder, other))
        );
    }

    [Theory]
    [InlineData("{\"subject\":")]
    [InlineData("{\"key\":\"of an older version\"}")]
    public void Find_NotReadable_IsAsGoodAsNotMeasured(string text)
    {
        var path = CalibrationFiles.Write(_folder, CalibrationRecord.Begin(Subject));
        File.WriteAllText(path, text);

        Assert.Null(CalibrationFiles.Find(_folder, Subject));
    }

    [Fact]
    public void FindUnfinished_BrokenOff_IsFoundUntilItIsWhole()
    {
        CalibrationFiles.WriteUnfinished(_folder, CalibrationRecord.Begin(Subject) with { Measured = ["bf16"] });

        Assert.Equal(["bf16"], CalibrationFiles.FindUnfinished(_folder, Subject)?.Measured);
        Assert.Null(CalibrationFiles.FindUnfinished(_folder, Subject with { Driver = "570.1" }));
        Assert.False(CalibrationFiles.Any(_folder));
        CalibrationFiles.Write(_folder, CalibrationRecord.Begin(Subject));
        Assert.Null(CalibrationFiles.FindUnfinished(_folder, Subject));
        Assert.True(CalibrationFiles.Any(_folder));
    }
}
