using System.Xml.Linq;

namespace RenderFarm.Architecture.Tests.Tree;

/// <summary>A project file and the sources below it.</summary>
internal sealed class Project
{
    private readonly Lazy<IReadOnlyList<SourceFile>> _sources;

    private Project(string path, IReadOnlyList<string> references, IReadOnlyList<string> packages)
    {
        Name = Path.GetFileNameWithoutExtension(path);
        Folder = Path.GetDirectoryName(path)!;
        Area = Repository.Relative(path).Split('/')[0];
        References = references;
        Packages = packages;
        _sources = new(() => [.. Repository.FilesOf(Folder, "*.cs").Select(SourceFile.Read)]);
    }

    public string Name { get; }
    public string Folder { get; }

    /// <summary><c>contracts</c>, <c>services</c>, <c>workers</c>, <c>tests</c>.</summary>
    public string Area { get; }

    /// <summary>Projects whose assembly it uses; those that are only built before it, to be started as a process, are none.</summary>
    public IReadOnlyList<string> References { get; }

    public IReadOnlyList<string> Packages { get; }
    public IReadOnlyList<SourceFile> Sources => _sources.Value;

    public static Project Read(string path)
    {
        var elements = XDocument.Load(path).Descendants().ToList();
        var references = elements
            .Where(element => element.Name.LocalName == "ProjectReference" && !IsBuildOrder(element))
            .Select(element => Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value.Replace('\\', '/')));
        var packages = elements
            .Where(element => element.Name.LocalName == "PackageReference")
            .Select(element => element.Attribute("Include")!.Value);
        return new(path, [.. references], [.. packages]);
    }

    public override string ToString() => Name;

    private static bool IsBuildOrder(XElement reference) =>
        string.Equals(Said(reference, "ReferenceOutputAssembly"), "false", StringComparison.OrdinalIgnoreCase);

    private static string? Said(XElement item, string name) =>
        item.Attribute(name)?.Value ?? item.Element(item.Name.Namespace + name)?.Value;
}
