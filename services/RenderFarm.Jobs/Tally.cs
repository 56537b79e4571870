namespace RenderFarm.Jobs;

/// <summary>What a job has been through so far.</summary>
/// <param name="Failures">Attempts burnt.</param>
/// <param name="StepDowns">Cheaper plans taken after running out of device memory.</param>
/// <param name="Deaths">Deaths of worker or renderer in a row without progress.</param>
public sealed record Tally(int Failures, int MaxAttempts, int StepDowns, int Deaths);
