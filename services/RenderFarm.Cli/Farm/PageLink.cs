using System.ComponentModel;
using System.Diagnostics;
using RenderFarm.Cli.Http;

namespace RenderFarm.Cli.Farm;

/// <summary>A link that signs one browser in at the farm's page, once, within ten minutes.</summary>
internal static class PageLink
{
    private const string Opener = "xdg-open";

    /// <exception cref="FarmException">The farm gives none, or doesn't answer.</exception>
    public static async Task<string> AskAsync(FarmClient client, CancellationToken cancellationToken)
    {
        var made = await client.SendJsonAsync(HttpMethod.Post, "session/codes", null, cancellationToken);
        return client.Farm + made.GetProperty("path").GetString();
    }

    /// <summary>In the desktop's browser.</summary>
    /// <returns>False where there is no desktop, or nothing on it that opens links.</returns>
    public static bool Open(string link)
    {
        if (
            string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DISPLAY"))
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("WAYLAND_DISPLAY"))
        )
        {
            return false;
        }

        try
        {
            using var opener = Process.Start(
                new ProcessStartInfo(Opener, [link]) { RedirectStandardOutput = true, RedirectStandardError = true }
            );
            return opener is not null;
        }
        catch (Win32Exception)
        {
            return false; // The program isn't there: the link has been printed.
        }
    }
}
