using RenderFarm.Hosting.Loops;
using RenderFarm.Worker.Calibration;
using RenderFarm.Worker.Registration;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Hosting;

/// <summary>Has idle slots measured, one at a time, since cards of a host share its memory; tells the API what came of it.</summary>
internal sealed class CalibrationLoop(
    SlotDiscovery discovery,
    SlotCalibration calibration,
    WorkerRegistration registration,
    TimeProvider time
) : ILoop
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    public string Name => "calibration";

    public TimeSpan LongestPause => TimeSpan.FromMinutes(1);

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = false;
            foreach (var slot in discovery.Slots)
            {
                changed |= await calibration.LookAsync(slot, cancellationToken);
            }

            if (changed)
            {
                await registration.RegisterAsync(cancellationToken);
            }

            standing.Well();
            await Task.Delay(Period, time, cancellationToken);
        }
    }
}
