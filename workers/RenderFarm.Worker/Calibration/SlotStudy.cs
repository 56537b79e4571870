using RenderFarm.Contracts.Rendering;

namespace RenderFarm.Worker.Calibration;

/// <summary>What is known of a slot's device, and what is to be found out.</summary>
internal sealed class SlotStudy
{
    /// <summary>Null before the renderer has looked at it.</summary>
    public DeviceProbe? Probe { get; set; }

    /// <summary>The driver that the rates were measured with; null when they are not measured.</summary>
    public string? MeasuredWith { get; set; }

    public bool IsMeasured { get; set; }

    /// <summary>Timestamp before which nothing is tried again.</summary>
    public long NotBefore { get; set; }

    /// <summary>In a row.</summary>
    public int Failures { get; set; }

    /// <summary>Measured, and with the driver that is here.</summary>
    public bool IsUpToDate => IsMeasured && MeasuredWith == Probe?.Subject.Driver;
}
