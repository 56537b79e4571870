namespace RenderFarm.Jobs.Intake;

/// <summary>Ids that sort by the time they were made and can't be guessed: 48 bits of milliseconds, 74 random ones.</summary>
public static class JobIds
{
    public const string Prefix = "video_";

    public static string New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Prefix + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
    }
}
