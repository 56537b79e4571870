namespace RenderFarm.Contracts.Plans;

/// <summary>What was measured of a device, as it is kept. Measuring goes piece by piece, because a job ends it at any moment.</summary>
public sealed record CalibrationRecord
{
    public required CalibrationSubject Subject { get; init; }
    public required CardCalibration Rates { get; init; }

    /// <summary>Names of the pieces that are in <see cref="Rates"/>.</summary>
    public IReadOnlyList<string> Measured { get; set; } = [];

    public static CalibrationRecord Begin(CalibrationSubject subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return new() { Subject = subject, Rates = new CardCalibration { Key = subject.Key } };
    }
}
