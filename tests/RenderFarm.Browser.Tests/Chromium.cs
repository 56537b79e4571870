using System.Diagnostics;
using RenderFarm.Testing;

namespace RenderFarm.Browser.Tests;

/// <summary>Chromium without a window: loads one page, runs it for a while of its own time, and says what it came to.</summary>
internal static class Chromium
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public static async Task<LoadedPage> LoadAsync(Uri address)
    {
        var program = Names.Select(Find).FirstOrDefault(path => path is not null);
        Assert.SkipWhen(program is null, "no Chromium: run ./farm test, or apt-get install chromium");
        using var profile = new TemporaryFolder();
        var start = new ProcessStartInfo(program!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                "--headless=new",
                // A container has no place for its sandbox, and the page is our own.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                $"--user-data-dir={profile.Path}",
                // Scripts get so many milliseconds by their own clock, however slow the machine is.
                "--virtual-time-budget=20000",
                "--enable-logging=stderr",
                "--dump-dom",
                address.AbsoluteUri,
            },
        };
        using var browser = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var console = browser.StandardError.ReadToEndAsync(limit.Token);
            var document = await browser.StandardOutput.ReadToEndAsync(limit.Token);
            await browser.WaitForExitAsync(limit.Token);
            return new LoadedPage(
                document,
                [.. (await console).Split('\n').Where(line => line.Contains(":CONSOLE", StringComparison.Ordinal))]
            );
        }
        finally
        {
            if (!browser.HasExited)
            {
                browser.Kill(entireProcessTree: true);
                await browser.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    private static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}

/// <param name="Document">As the scripts have left it.</param>
/// <param name="Console">What scripts and browser said, a line each.</param>
internal sealed record LoadedPage(string Document, IReadOnlyList<string> Console);
