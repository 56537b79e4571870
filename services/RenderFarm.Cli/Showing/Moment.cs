using System.Globalization;

namespace RenderFarm.Cli.Showing;

/// <summary>A moment for people, alike in every verb and on every machine: to the second, in UTC.</summary>
internal static class Moment
{
    public static string OfUnixSeconds(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
