using System.Globalization;
using System.Text.RegularExpressions;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>A VAE's keys in diffusers' layout, back to the original ones.</summary>
internal static partial class VaeNames
{
    private static readonly (string Theirs, string Original)[] Parts =
    [
        ("encoder.conv_in.", "encoder.conv1."), ("decoder.conv_in.", "decoder.conv1."),
        (".mid_block.resnets.0.", ".middle.0."), (".mid_block.attentions.0.", ".middle.1."),
        (".mid_block.resnets.1.", ".middle.2."), (".norm_out.", ".head.0."), (".conv_out.", ".head.2."),
        (".conv_shortcut.", ".shortcut."), (".norm1.", ".residual.0."), (".conv1.", ".residual.2."),
        (".norm2.", ".residual.3."), (".conv2.", ".residual.6."),
    ];

    /// <summary>2.1: the encoder is numbered flat in both; the decoder's groups of three and an upsampler are numbered through.</summary>
    public static string From21(string key)
    {
        key = key.Replace("encoder.down_blocks.", "encoder.downsamples.", StringComparison.Ordinal);
        key = UpBlock()
            .Replace(
                key,
                match =>
                {
                    var within = match.Groups["resnet"].Success ? Number(match, "resnet") : 3;
                    return string.Create(CultureInfo.InvariantCulture, $"decoder.upsamples.{(Number(match, "level") * 4) + within}.");
                }
            );
        return Rest(key);
    }

    /// <summary>2.2: both go level by level.</summary>
    public static string From22(string key)
    {
        key = DownLevel()
            .Replace(key, match => $"encoder.downsamples.{match.Groups["level"]}.downsamples.{Resnet(match, otherwise: "2")}.");
        key = UpBlock().Replace(key, match => $"decoder.upsamples.{match.Groups["level"]}.upsamples.{Resnet(match, otherwise: "3")}.");
        return Rest(key);
    }

    private static string Resnet(Match match, string otherwise) =>
        match.Groups["resnet"].Success ? match.Groups["resnet"].Value : otherwise;

    private static string Rest(string key)
    {
        if (key.StartsWith("quant_conv.", StringComparison.Ordinal))
        {
            return "conv1." + key["quant_conv.".Length..];
        }

        if (key.StartsWith("post_quant_conv.", StringComparison.Ordinal))
        {
            return "conv2." + key["post_quant_conv.".Length..];
        }

        var outermost =
            key.StartsWith("encoder.conv_in.", StringComparison.Ordinal) || key.StartsWith("decoder.conv_in.", StringComparison.Ordinal);
        foreach (var (theirs, original) in outermost ? Parts[..2] : Parts[2..])
        {
            key = key.Replace(theirs, original, StringComparison.Ordinal);
        }

        return key;
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^decoder\.up_blocks\.(?<level>\d)\.(?:resnets\.(?<resnet>\d)|upsamplers\.0|upsampler)\.")]
    private static partial Regex UpBlock();

    [GeneratedRegex(@"^encoder\.down_blocks\.(?<level>\d)\.(?:resnets\.(?<resnet>\d)|downsampler)\.")]
    private static partial Regex DownLevel();
}
