using RenderFarm.Testing;

namespace RenderFarm.Build.Tests;

/// <summary>Small libraries, compiled here: one that offers a version and one that asks it for that.</summary>
internal sealed class SharedLibrary : IDisposable
{
    /// <summary>What <see cref="Caller"/> asks <see cref="Provider"/> for.</summary>
    public const string Version = "PROVIDER_9";

    private readonly TemporaryFolder _folder = new();

    public string Provider => _folder.File("libprovider.so");

    public string Caller => _folder.File("libcaller.so");

    public string File(string name) => _folder.File(name);

    public static async Task<SharedLibrary> CompileAsync()
    {
        var library = new SharedLibrary();
        await library.CompileProviderAsync(Version);
        await CCompiler.CompileAsync(
            library.Caller,
            """
            extern int provider_marker(void);
            static int disposed = 0;
            void caller_dispose(void) { disposed++; }
            int caller_disposed(void) { return disposed; }
            int caller_never(void) { return provider_marker(); }
            """,
            "-L" + library._folder.Path,
            "-lprovider",
            "-Wl,-z,lazy",
            "-Wl,-rpath,$ORIGIN"
        );
        return library;
    }

    /// <summary>Replaces the library that offers the version: as on a system that has only an older one.</summary>
    public async Task CompileProviderAsync(string version)
    {
        var script = File("provider.map");
        await System.IO.File.WriteAllTextAsync(script, $"{version} {{ global: provider_marker; local: *; }};");
        await CCompiler.CompileAsync(
            Provider,
            "int provider_marker(void) { return 9; }",
            "-Wl,--version-script=" + script,
            "-Wl,-soname,libprovider.so"
        );
    }

    public void Dispose() => _folder.Dispose();
}
