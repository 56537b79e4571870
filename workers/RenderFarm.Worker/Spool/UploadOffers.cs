using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Registration;

namespace RenderFarm.Worker.Spool;

/// <summary>Offers what lies in the spool and is not under way again, every hour.</summary>
internal sealed class UploadOffers(UploadSpool spool, WorkerRegistration registration, TimeProvider time) : ILoop
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    public string Name => "upload_offers";

    public TimeSpan LongestPause => TimeSpan.FromMinutes(1);

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Period, time, cancellationToken);
            await spool.OfferAsync(registration.Settings, cancellationToken);
            standing.Well();
        }
    }
}
