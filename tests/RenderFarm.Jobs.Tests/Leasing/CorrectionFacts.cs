using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class CorrectionsOnSqlite() : CorrectionFacts(new SqliteStore());

public sealed class CorrectionsOnPostgres() : CorrectionFacts(new PostgresStore());

public abstract class CorrectionFacts(StoreUnderTest store) : FarmFacts(store)
{
    private static readonly RenderPlan Resident = new()
    {
        Device = "cpu",
        Precision = Precision.Fp32,
        BlocksResident = 2,
        BlocksStreamed = 0,
        Fits = true,
        PredictedPeakBytes = 1300,
        UncorrectedPeakBytes = 1000,
        PredictedStepSeconds = 4,
        UncorrectedStepSeconds = 2,
    };

    private static readonly RenderPlan Tiled = Resident with { VaeTile = 16, UncorrectedPeakBytes = 500 };

    [Fact]
    public async Task LeaseAsync_NothingMeasured_GrantsWithoutCorrections()
    {
        await Farm.SubmitAsync();
        var corrections = (await Farm.LeaseAsync()).Corrections;
        Assert.Null(corrections.OfModel);
        Assert.Empty(corrections.OfKinds);
    }

    [Fact]
    public async Task LeaseAsync_AfterMeasuredAttempts_CorrectsEachKindOfPlanByWhatWasPredictedUncorrected()
    {
        await MeasuredAsync(Resident, peak: 1200, step: 3);
        await MeasuredAsync(Resident, peak: 1100, step: 1);
        await MeasuredAsync(Tiled, peak: 450, step: 2);

        var corrections = (await NextAsync()).Corrections;

        Assert.Equal(new PlanCorrection(1.2, 1.5, 2), corrections.OfKinds.Single(kind => kind.Kind == Resident.Kind).Correction);
        Assert.Equal(new PlanCorrection(0.9, 1, 1), corrections.OfKinds.Single(kind => kind.Kind == Tiled.Kind).Correction);
        Assert.Equal(1.2, corrections.OfModel!.PeakFactor);
    }

    [Fact]
    public async Task LeaseAsync_VideoOfTheSameSizeMeasured_GoesBeforeOtherSizes()
    {
        await MeasuredAsync(Resident, peak: 1100, step: 2);
        await MeasuredAsync(Resident, peak: 1900, step: 2, frames: 9);

        Assert.Equal(1.1, Assert.Single((await NextAsync()).Corrections.OfKinds).Correction.PeakFactor);
    }

    [Fact]
    public async Task LeaseAsync_OutOfMemoryBefore_CorrectsOtherJobsAndNotTheOneThatStepsDown()
    {
        var failed = await Farm.SubmitAsync();
        var lease = await LeasedAsync(Resident);
        await Farm.Desk.FailAsync(
            new(
                lease.Lease,
                new FailRequest
                {
                    Reason = FailureReason.GpuOutOfMemory,
                    Message = "device memory ran out",
                    Measurements = new Measurements
                    {
                        PeakBytes = 1100,
                        RequestedBytes = 400,
                        FreeBytes = 100,
                    },
                }
            ),
            Stop
        );

        var again = await NextAsync(submit: false);
        Assert.Equal((failed.Id, 1), (again.Id, again.StepDowns));
        Assert.Empty(again.Corrections.OfKinds);
        Assert.Equal(1.5, Assert.Single((await NextAsync()).Corrections.OfKinds).Correction.PeakFactor);
    }

    [Fact]
    public async Task LeaseAsync_OutOfMemoryBelowThePrediction_SaysNothing()
    {
        await Farm.SubmitAsync();
        var lease = await LeasedAsync(Resident);
        await Farm.Desk.FailAsync(
            new(
                lease.Lease,
                new FailRequest
                {
                    Reason = FailureReason.GpuOutOfMemory,
                    Message = "somebody else took it",
                    Measurements = new Measurements
                    {
                        PeakBytes = 300,
                        RequestedBytes = 100,
                        FreeBytes = 0,
                    },
                }
            ),
            Stop
        );
        await NextAsync(submit: false);

        Assert.Empty((await NextAsync()).Corrections.OfKinds);
    }

    [Fact]
    public async Task LeaseAsync_MeasuredOnAnotherCard_IsNotCorrected()
    {
        await MeasuredAsync(Resident, peak: 1200, step: 3);
        Farm.Time.Advance(TimeSpan.FromSeconds(10));
        await Farm.SubmitAsync();

        Assert.Empty((await Farm.LeaseAsync("gpu0")).Corrections.OfKinds);
    }

    private async Task MeasuredAsync(RenderPlan plan, long peak, double step, int frames = 5)
    {
        var job = Farm.NewJob();
        await Farm.SubmitAsync(job with { Spec = job.Spec with { Frames = frames } });
        var lease = await LeasedAsync(plan);
        await Farm.Desk.CompleteAsync(
            new(
                lease.Lease,
                new CompleteRequest
                {
                    Artifacts =
                    [
                        new Artifact(ArtifactKind.Video, ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name), "video/mp4", 1234, "00"),
                    ],
                    Measurements = new Measurements { StepSeconds = step, PeakBytes = peak },
                }
            ),
            Stop
        );
    }

    private async Task<LeasedJob> LeasedAsync(RenderPlan plan)
    {
        var lease = await Farm.LeaseAsync();
        Assert.NotNull(
            await Farm.Desk.RenewAsync(
                new(
                    lease.Lease,
                    new RenewRequest
                    {
                        Stage = RenderStage.Loading,
                        Plan = plan,
                    }
                ),
                Stop
            )
        );
        return lease;
    }

    /// <summary>The next lease, when figures of before are read again.</summary>
    private async Task<LeasedJob> NextAsync(bool submit = true)
    {
        Farm.Time.Advance(TimeSpan.FromSeconds(10));
        if (submit)
        {
            await Farm.SubmitAsync();
        }

        return await Farm.LeaseAsync();
    }
}
