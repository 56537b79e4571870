using System.Text.Json.Serialization;

namespace RenderFarm.Contracts.Leases;

/// <summary>
/// What a worker says under a lease. The address of the call names the job; the rest of <see cref="LeaseId"/> is here, in one
/// place for all reports.
/// </summary>
public abstract record LeaseReport
{
    [JsonRequired]
    public long Fence { get; init; }

    [JsonRequired]
    public LeaseToken Token { get; init; }
}

/// <summary>A report together with the lease that it is under, as the receiver handles it.</summary>
public readonly record struct Reported<TReport>(LeaseId Lease, TReport Report)
    where TReport : LeaseReport;

/// <summary>The way of a report to its lease.</summary>
public static class LeaseReports
{
    /// <summary>The report as it goes out: with what tells this lease from others.</summary>
    public static TReport Under<TReport>(this TReport report, LeaseId lease)
        where TReport : LeaseReport
    {
        ArgumentNullException.ThrowIfNull(report);
        LeaseReport plain = report;
        return (TReport)(plain with { Fence = lease.Fence, Token = lease.Token });
    }

    /// <summary>The report as it came in.</summary>
    /// <param name="jobId">From the address of the call.</param>
    public static Reported<TReport> About<TReport>(this TReport report, string jobId)
        where TReport : LeaseReport
    {
        ArgumentNullException.ThrowIfNull(report);
        return new(new LeaseId(jobId, report.Fence, report.Token), report);
    }
}
