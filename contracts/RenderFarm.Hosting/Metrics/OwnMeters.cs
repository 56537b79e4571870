using System.Diagnostics.Metrics;

namespace RenderFarm.Hosting.Metrics;

/// <summary>
/// A provider hears every meter of its process by name. Where several hosts share one, as in tests, each tells of what its own
/// factory made.
/// </summary>
public static class OwnMeters
{
    /// <summary>Whether the instrument is of a meter of this name that another host made.</summary>
    public static bool IsAnothers(System.Diagnostics.Metrics.Instrument instrument, string meter, IMeterFactory own)
    {
        ArgumentNullException.ThrowIfNull(instrument);
        return instrument.Meter.Name == meter && !ReferenceEquals(instrument.Meter.Scope, own);
    }
}
