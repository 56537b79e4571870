namespace RenderFarm.Jobs.Persistence;

/// <summary>A job that has come into the queue: what others are told of it after the commit.</summary>
internal sealed record JoinedJob(string Id, string Model, int VramClass, double OrderKey, double EstimatedSeconds)
{
    public static JoinedJob Of(JobRow row) => new(row.Id, row.Model, row.VramClass, row.OrderKey, row.EstimatedSeconds);
}
