namespace RenderFarm.Tools.Tests;

/// <summary>The built program, for tests that start it as a person does.</summary>
internal static class ToolsProgram
{
    public static string File { get; } = Path.Combine(AppContext.BaseDirectory, "RenderFarm.Tools");
}
