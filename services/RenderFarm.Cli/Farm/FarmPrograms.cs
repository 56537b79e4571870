namespace RenderFarm.Cli.Farm;

/// <summary>
/// Where the other programs are: installed beside this one (<c>lib/cli</c>, <c>lib/api</c>, …), or built in the same source tree and
/// configuration.
/// </summary>
/// <param name="Models">Folder of the models that come with the farm.</param>
internal sealed record FarmPrograms(string Api, string Worker, string Renderer, string Models)
{
    /// <exception cref="FarmException">No build of the others is there.</exception>
    public static FarmPrograms Find() => Find(AppContext.BaseDirectory);

    public static FarmPrograms Find(string baseDirectory) => Installed(baseDirectory) ?? Built(baseDirectory);

    /// <summary>The file of a program that was installed with this one; null where this one was not installed.</summary>
    /// <param name="baseDirectory">Of this program.</param>
    /// <param name="name">Such as <c>RenderFarm.Tools</c>.</param>
    public static string? Installed(string baseDirectory, string name)
    {
        var programs = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(baseDirectory));
        var part = name[(name.LastIndexOf('.') + 1)..].ToLowerInvariant();
        var path = Path.Combine(programs ?? "", part, name);
        return File.Exists(path) ? path : null;
    }

    private static FarmPrograms? Installed(string baseDirectory)
    {
        if (
            Installed(baseDirectory, "RenderFarm.Api") is not { } api
            || Installed(baseDirectory, "RenderFarm.Worker") is not { } worker
            || Installed(baseDirectory, "RenderFarm.Renderer") is not { } renderer
        )
        {
            return null;
        }

        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(api)!, "..", ".."));
        return new FarmPrograms(api, worker, renderer, Path.Combine(root, "models"));
    }

    private static FarmPrograms Built(string baseDirectory)
    {
        // services/RenderFarm.Cli/bin/Release/net10.0 → net10.0, Release, …, root
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(baseDirectory));
        var configuration = framework.Parent;
        var root =
            configuration?.Parent?.Parent?.Parent?.Parent
            ?? throw new FarmException("not_built", $"'{baseDirectory}' is not inside a build of RenderFarm");

        string Program(string part, string name)
        {
            var path = Path.Combine(root.FullName, part, name, "bin", configuration.Name, framework.Name, name);
            return File.Exists(path) ? path : throw new FarmException("not_built", $"'{path}' is missing: run ./farm build");
        }

        return new FarmPrograms(
            Program("services", "RenderFarm.Api"),
            Program("workers", "RenderFarm.Worker"),
            Program("workers", "RenderFarm.Renderer"),
            Path.Combine(root.FullName, "deploy", "models")
        );
    }
}
