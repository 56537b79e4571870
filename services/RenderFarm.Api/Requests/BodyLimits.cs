namespace RenderFarm.Api.Requests;

/// <summary>How large a request body may be: little by default, more where pictures or job lists come in.</summary>
internal static class BodyLimits
{
    public const long Default = 1L << 20;

    /// <summary>A prompt, all its settings, and pictures.</summary>
    public const long Submit = 32L << 20;

    /// <summary>One file of a multipart body, and what is fetched or unpacked in the place of one.</summary>
    public const long File = 20L << 20;

    /// <summary>One text part of a multipart body: a prompt in the longest spelling, or a list of settings.</summary>
    public const long Text = 1L << 20;

    /// <summary>Ten thousand lines of a batch.</summary>
    public const long Batch = 64L << 20;
}
