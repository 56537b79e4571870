using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>
/// Seconds of each part of a step. Waits for the device around each part, so that a whole step takes longer than without;
/// <see cref="None"/> measures nothing and waits for nothing.
/// </summary>
internal sealed class StepParts(Device device)
{
    public static readonly StepParts None = new(META);

    private readonly Dictionary<string, double> _seconds = [];

    public IReadOnlyDictionary<string, double> Seconds => _seconds;

    public T Time<T>(string part, Func<T> work)
    {
        if (device.type == DeviceType.META)
        {
            return work();
        }

        Wait();
        var started = Stopwatch.GetTimestamp();
        var result = work();
        Wait();
        _seconds[part] = _seconds.GetValueOrDefault(part) + Stopwatch.GetElapsedTime(started).TotalSeconds;
        return result;
    }

    public void Time(string part, Action work) =>
        Time(
            part,
            () =>
            {
                work();
                return true;
            }
        );

    public void Wait()
    {
        if (device.type == DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }
    }
}
