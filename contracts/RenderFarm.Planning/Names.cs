using System.Globalization;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;

namespace RenderFarm.Planning;

/// <summary>Figures in words, the same everywhere a plan is shown.</summary>
public static class Names
{
    /// <summary><c>7.4 GiB</c>, or MiB below one.</summary>
    public static string Gib(long bytes) =>
        bytes >= Gibibytes.One
            ? string.Create(CultureInfo.InvariantCulture, $"{Gibibytes.Of(bytes):0.0} GiB")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0} MiB");

    /// <summary><c>85 ms</c>, <c>3.2 s</c>, <c>12 min 5 s</c>, <c>3 h 20 min</c>.</summary>
    public static string Seconds(double seconds)
    {
        if (seconds < 1)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.#} ms");
        }

        if (seconds < 60)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");
        }

        var whole = TimeSpan.FromSeconds(Math.Round(seconds));
        return whole.TotalHours < 1 ? $"{whole.Minutes} min {whole.Seconds} s" : $"{(int)whole.TotalHours} h {whole.Minutes} min";
    }

    internal static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    /// <summary>The pins that are set, by the names they have on the wire.</summary>
    internal static string Pinned(PlanPins pins)
    {
        (string Name, bool Set)[] all =
        [
            ("precision", pins.Precision is not null),
            ("attention", pins.Attention is not null),
            ("blocks_streamed", pins.BlocksStreamed is not null),
            ("ffn_chunk_tokens", pins.FfnChunkTokens is not null),
            ("text_encoder", pins.TextEncoder is not null),
            ("vae_tile", pins.VaeTile is not null),
            ("guidance_batched", pins.GuidanceBatched is not null),
        ];
        return string.Join(", ", all.Where(pin => pin.Set).Select(pin => pin.Name));
    }
}
