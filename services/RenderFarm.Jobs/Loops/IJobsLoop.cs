namespace RenderFarm.Jobs.Loops;

/// <summary>Something that runs beside the API until it stops. The host starts every one of them.</summary>
public interface IJobsLoop
{
    /// <summary>Returns when <paramref name="cancellationToken"/> asks for it; outages of store and broker are its own affair.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
