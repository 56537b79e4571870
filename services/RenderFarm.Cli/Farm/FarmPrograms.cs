namespace RenderFarm.Cli.Farm;

/// <summary>Where the other programs of this build are: beside this one in the source tree, in the same configuration.</summary>
/// <param name="Models">Folder of the models that come with the farm.</param>
internal sealed record FarmPrograms(string Api, string Worker, string Renderer, string Models)
{
    /// <exception cref="FarmException">No build of the others is there.</exception>
    public static FarmPrograms Find() => Find(AppContext.BaseDirectory);

    public static FarmPrograms Find(string baseDirectory)
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
