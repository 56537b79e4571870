namespace RenderFarm.Contracts.Plans;

/// <summary>What measured rates belong to: on another device or libtorch, or by other kernels, they say nothing.</summary>
/// <param name="Device">The card's name, or the processor's with the threads that compute on it.</param>
/// <param name="Uuid">Of the card; null for a processor.</param>
/// <param name="Driver">Null for a processor.</param>
/// <param name="LibTorch">Version and build.</param>
/// <param name="Version">Of the farm, whose kernels are part of what is measured.</param>
public sealed record CalibrationSubject(string Device, string? Uuid, string? Driver, string LibTorch, string Version)
{
    /// <summary>What rates that were measured on it are called in a plan's reasons.</summary>
    public string Key => CardCalibration.KeyOf(Device, Driver, Version);

    /// <summary>The same but for the driver: what it computes has to be looked at anew, how fast it is hardly changes.</summary>
    public bool HasRatesOf(CalibrationSubject? other) => other is not null && this == other with { Driver = Driver };
}
