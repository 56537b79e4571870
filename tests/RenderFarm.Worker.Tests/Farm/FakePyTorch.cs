using RenderFarm.Worker.Renderers;

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>The names of the files of an installed PyTorch, and a search that sees nothing of this machine's own.</summary>
internal static class FakePyTorch
{
    private static readonly string[] ForCpu = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];

    /// <param name="folder"><c>…/site-packages/torch</c>.</param>
    /// <returns>Its folder of libraries.</returns>
    public static string Make(string folder, string version, bool cuda = true)
    {
        var libraries = Directory.CreateDirectory(Path.Combine(folder, "lib")).FullName;
        foreach (var file in cuda ? [.. ForCpu, "libc10_cuda.so", "libtorch_cuda.so"] : ForCpu)
        {
            File.WriteAllText(Path.Combine(libraries, file), "");
        }

        File.WriteAllText(Path.Combine(folder, "version.py"), $"__version__ = '{version}'\n");
        return libraries;
    }

    /// <param name="home">The user's, and the root of the file system.</param>
    /// <param name="variables">Of the environment.</param>
    public static InstalledPyTorch Search(string home, params (string Name, string Value)[] variables) =>
        new(
            name =>
                name == "HOME" ? home
                : Array.Find(variables, one => one.Name == name) is { Value: { } value } ? value
                : name == "PYTHON" ? "/nowhere/python3"
                : null,
            home
        );
}
