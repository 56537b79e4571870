namespace RenderFarm.Contracts.Videos;

/// <summary>What an input picture is for: the names that requests, leases and orders use.</summary>
public static class InputRoles
{
    /// <summary>The frame that the video starts from.</summary>
    public const string FirstFrame = "input_reference";

    /// <summary>The frame that it ends on; only together with <see cref="FirstFrame"/>.</summary>
    public const string LastFrame = "last_frame";
}
