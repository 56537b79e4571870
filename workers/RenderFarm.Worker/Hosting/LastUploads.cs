using RenderFarm.Worker.Spool;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Hosting;

/// <summary>Uploads that are under way when the slots have ended: they may finish while there is time.</summary>
internal sealed class LastUploads(UploadSpool spool, WorkerDrain drain, TimeProvider time, ILogger<LastUploads> log)
{
    private static readonly TimeSpan AfterGrace = TimeSpan.FromSeconds(2);

    public async Task WaitAsync()
    {
        if (spool.Count > 0)
        {
            log.WaitingForUploads(spool.Count);
        }

        var uploads = spool.WhenEmptyAsync();
        var graceOver = Task.Delay(Timeout.InfiniteTimeSpan, time, drain.HandBack).ContinueWith(_ => { }, TaskScheduler.Default);
        if (await Task.WhenAny(uploads, graceOver) != uploads)
        {
            await Task.WhenAny(uploads, Task.Delay(AfterGrace, time));
        }
    }
}
