using System.Diagnostics;

namespace RenderFarm.Testing;

/// <summary>The C compiler of this machine, for libraries that a test needs as they are on disk.</summary>
public static class CCompiler
{
    /// <summary>Compiles a shared library; skips the test where there is no compiler.</summary>
    public static async Task CompileAsync(string output, string source, params string[] options)
    {
        var compiler = new[] { "gcc", "cc", "clang" }.FirstOrDefault(IsInstalled);
        Assert.SkipWhen(compiler is null, "no C compiler here (apt-get install gcc libc6-dev)");
        var file = output + ".c";
        await File.WriteAllTextAsync(file, source);
        using var compiling = Process.Start(compiler!, ["-shared", "-fPIC", "-Wall", "-Werror", "-o", output, file, .. options]);
        await compiling.WaitForExitAsync();
        Assert.Equal(0, compiling.ExitCode);
    }

    private static bool IsInstalled(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, name)));
}
