namespace RenderFarm.Worker.Configuration;

/// <summary>The embedded farm's folder: <c>RENDERFARM_HOME</c>, or <c>~/.renderfarm</c>.</summary>
internal static class FarmHome
{
    public static string Directory =>
        Environment.GetEnvironmentVariable("RENDERFARM_HOME") is { Length: > 0 } home
            ? Path.GetFullPath(home)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".renderfarm");
}
