using System.Globalization;

namespace RenderFarm.Dashboard.Texts;

/// <summary>Figures as people say them.</summary>
internal static class Saying
{
    private const int ShownOfId = 6;

    /// <summary>"about 4 min": nobody plans by the second.</summary>
    public static string About(this PageTexts texts, double seconds) =>
        seconds < 1 ? texts["time.moment"] : texts["time.about", texts.Span(seconds)];

    public static string Span(this PageTexts texts, double seconds) =>
        seconds switch
        {
            < 1 => texts["time.moment"],
            < 90 => texts["time.s", Math.Round(seconds)],
            < 90 * 60 => texts["time.min", Math.Round(seconds / 60)],
            < 36 * 3600 => texts["time.h", Math.Round(seconds / 3600, 1)],
            _ => texts["time.d", Math.Round(seconds / 86_400)],
        };

    /// <summary>As measured: 0.84 s, 12.3 s, 4 min 5 s.</summary>
    public static string Exactly(double seconds) =>
        seconds switch
        {
            < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.##} s"),
            < 100 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.#} s"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(seconds / 60):0} min {seconds % 60:0} s"),
        };

    /// <summary>In the unit that leaves one to three digits before the point.</summary>
    public static string Bytes(double bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var unit = 0;
        while (bytes >= 1000 && unit < units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        var digits = bytes < 10 && unit > 0 ? 1 : 0;
        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(bytes, digits)} {units[unit]}");
    }

    /// <summary>Shortened in the middle.</summary>
    public static string ShortId(string id)
    {
        var kind = id.IndexOf('_', StringComparison.Ordinal) + 1;
        return id.Length <= kind + 2 * ShownOfId ? id : $"{id[..(kind + ShownOfId)]}…{id[^ShownOfId..]}";
    }

    /// <summary>Of a video: 5.0625 is 5.1 s.</summary>
    public static string Length(string seconds) =>
        double.TryParse(seconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, 1)} s")
            : seconds;

    public static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
