namespace RenderFarm.Simulation.Demand;

/// <summary>Whoever has one API key.</summary>
internal sealed class Customer(int number, int? maxRunning)
{
    public int Number => number;
    public string KeyId { get; } = $"key_{number:x8}";

    /// <summary>Jobs of it that may be on cards at once; null: as many as there are cards.</summary>
    public int? MaxRunning => maxRunning;

    /// <summary>Seconds of work that it has asked for, in all.</summary>
    public double AskedSeconds { get; set; }
}
