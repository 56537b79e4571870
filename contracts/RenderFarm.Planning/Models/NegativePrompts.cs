namespace RenderFarm.Planning.Models;

/// <summary>The negative prompts the models were published with; filled in when a request names none.</summary>
internal static class NegativePrompts
{
    /// <summary>All text-to-video models and all of 2.2.</summary>
    public const string Base =
        "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，"
        + "丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，"
        + "静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走";

    /// <summary>2.1 image to video: no shaking camera either.</summary>
    public const string ImageToVideo = "镜头晃动，" + Base;

    /// <summary>2.1 first and last frame: and no cuts.</summary>
    public const string FirstLastFrame = "镜头切换，" + ImageToVideo;
}
