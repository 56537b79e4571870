namespace RenderFarm.Simulation.Engine;

/// <summary>What befalls cards and jobs, apart from what the planner says. Seconds.</summary>
internal sealed record FarmRules
{
    /// <summary>From lease to first step over a renderer that stands by, when the host holds the model's prepared weights.</summary>
    public double WarmStart { get; init; } = 5;

    /// <summary>The same when it has to prepare them: measured on an H200 (docs and results of <c>bench farm</c>).</summary>
    public double ColdStart { get; init; } = 17;

    /// <summary>Renders differ from their prediction by so much (the spread of a logarithm).</summary>
    public double Spread { get; init; } = 0.05;

    /// <summary>One attempt in so many has its renderer die in the middle.</summary>
    public double CrashesIn { get; init; } = 200;

    /// <summary>One in so many runs out of device memory, and goes on with the next cheaper plan.</summary>
    public double OutOfMemoryIn { get; init; } = 400;

    /// <summary>How long a rented card stays, in the mean, and until there is another one in its place.</summary>
    public double SpotLife { get; init; } = 6 * 3_600;

    public double SpotAway { get; init; } = 20 * 60;

    /// <summary>From a worker's end to the end of its lease.</summary>
    public double LeaseEndsAfter { get; init; } = 24;

    /// <summary>A failed job goes elsewhere for so long, if it can.</summary>
    public double AvoidFor { get; init; } = 600;

    /// <summary>How often the list of workers is read again. The farm does it every 5 s.</summary>
    public double LooksEvery { get; init; } = 60;
}
