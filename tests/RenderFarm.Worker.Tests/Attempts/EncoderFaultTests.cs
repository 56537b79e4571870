using RenderFarm.Contracts.Leases;
using RenderFarm.Testing;
using RenderFarm.Worker.Tests.Encoding;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Attempts;

/// <summary>An encoder that can't write any video is a fault of the slot: no job is rendered for it, and none pays for it.</summary>
public sealed class EncoderFaultTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_EncoderLacksAnOption_TakesNoJobUntilAnotherIsInstalled()
    {
        using var encoder = new PickyEncoder("-crf").Refuse();
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Good);
        worker.Set("Worker:FfmpegPath", encoder.Path);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var quarantine = await QuarantinedAsync(worker, wanted: true);
        Assert.Contains("Unrecognized option 'crf'", quarantine, StringComparison.Ordinal);
        Assert.Contains("Worker:FfmpegPath", quarantine, StringComparison.Ordinal);
        Assert.Empty(worker.Desk.Requests);
        Assert.Contains("Unrecognized option 'crf'", await worker.GetAsync("/health"), StringComparison.Ordinal);

        encoder.Replace();

        await worker.Desk.CompletedAsync(job);
        await QuarantinedAsync(worker, wanted: false);
    }

    [Fact]
    public async Task Run_EncoderRefusesItsArguments_GivesTheJobBackUnchargedAndClosesTheSlot()
    {
        using var encoder = new PickyEncoder("-crf");
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        worker.Set("Worker:FfmpegPath", encoder.Path);
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(!worker.Desk.Requests.IsEmpty),
            Soon,
            "a first request",
            TestContext.Current.CancellationToken
        );

        encoder.Refuse();
        var released = await worker.Desk.ReleasedAsync(worker.Desk.Queue(WorkerUnderTest.Spec));

        Assert.Equal(ReleaseReason.SlotFault, released.Reason);
        Assert.StartsWith("The video encoder of slot cpu can't write a video", released.Message, StringComparison.Ordinal);
        Assert.Contains("Unrecognized option 'crf'", released.Message, StringComparison.Ordinal);
        Assert.Contains("Unrecognized option 'crf'", await QuarantinedAsync(worker, wanted: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_EncoderFailsOneJobAndWritesOthers_IsTheJobsFailure()
    {
        using var folder = new TemporaryFolder();
        var ffmpeg = folder.File("ffmpeg");
        // The frame rate of the spec, which is not that of the trial
        await File.WriteAllTextAsync(
            ffmpeg,
            "#!/bin/bash\n[[ \" $* \" == *\" -r 8 \"* ]] && { echo 'no such rate' >&2; exit 1; }\nexec ffmpeg \"$@\"\n",
            TestContext.Current.CancellationToken
        );
        File.SetUnixFileMode(ffmpeg, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        worker.Set("Worker:FfmpegPath", ffmpeg);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        var failure = await worker.Desk.FailedAsync(job);

        Assert.Equal(FailureReason.EncoderFailed, failure.Reason);
        Assert.Contains("no such rate", failure.Message, StringComparison.Ordinal);
        Assert.All(worker.Desk.Registrations, registration => Assert.Null(registration.Slots[0].Quarantine));
    }

    private static async Task<string?> QuarantinedAsync(WorkerUnderTest worker, bool wanted)
    {
        await Eventually.TrueAsync(
            () =>
                Task.FromResult(
                    worker.Desk.Registrations.LastOrDefault() is { } last && last.Slots[0].Quarantine is not null == wanted
                ),
            Soon,
            wanted ? "the slot to be registered as quarantined" : "the quarantine to be over",
            TestContext.Current.CancellationToken
        );
        return worker.Desk.Registrations.Last().Slots[0].Quarantine;
    }
}
