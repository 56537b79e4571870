namespace RenderFarm.Contracts.Messages;

/// <summary>
/// Names on the broker. A bell goes to the exchange of its VRAM class; the workers that can run the class declare the
/// queue of the same name. Bells are hints: the queue is short, and an old bell is worth nothing.
/// </summary>
public static class Bells
{
    /// <summary>The VRAM classes in GiB; 0 is <c>cpu</c>: runs anywhere.</summary>
    public static readonly int[] Classes = [0, 6, 8, 12, 16, 24, 32, 48, 80];

    public const int MaxLength = 1_000;
    public static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(60);

    public const string EventsExchange = "renderfarm.events";
    public const string IntakeExchange = "renderfarm.intake";
    public const string RejectedIntakeQueue = "renderfarm.intake.rejected";

    /// <summary>Exchange and queue of a class: <c>renderfarm.jobs.cpu</c>, <c>renderfarm.jobs.24</c>.</summary>
    public static string Queue(int vramClass) => $"renderfarm.jobs.{ClassName(vramClass)}";

    public static string ClassName(int vramClass) =>
        vramClass == 0 ? "cpu" : vramClass.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Where one worker hears of cancellations and drains.</summary>
    public static string ControlQueue(string workerId) => $"renderfarm.worker.{workerId}";
}
