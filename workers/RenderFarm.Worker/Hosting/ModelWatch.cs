using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Registration;

namespace RenderFarm.Worker.Hosting;

/// <summary>Follows the models on disk.</summary>
internal sealed class ModelWatch(WorkerRegistration registration, TimeProvider time) : ILoop
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    public string Name => "model_watch";

    public TimeSpan LongestPause => Period;

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Period, time, cancellationToken);
            await registration.LookForModelsAsync(cancellationToken);
            standing.Well();
        }
    }
}
