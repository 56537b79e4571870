using System.Diagnostics;

namespace RenderFarm.Testing.Farms;

/// <summary>Small random models, made once for a test program by the renderer's own verb.</summary>
public static class TestModels
{
    private static readonly Lazy<Task<string>> Made = new(MakeAsync);

    /// <summary>A folder with the models <c>tiny</c> and <c>small</c>.</summary>
    public static Task<string> FolderAsync() => Made.Value;

    private static async Task<string> MakeAsync()
    {
        var folder = Directory.CreateTempSubdirectory("renderfarm-models-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        foreach (var preset in new[] { "tiny", "small" })
        {
            var start = new ProcessStartInfo(BuiltPrograms.Renderer) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in new[] { "models", "make-random", preset, Path.Combine(folder, preset), "--seed", "1" })
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start)!;
            var said = process.StandardOutput.ReadToEndAsync();
            var errors = await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, $"making {preset} failed: {await said}{errors}");
        }
        return folder;
    }
}
