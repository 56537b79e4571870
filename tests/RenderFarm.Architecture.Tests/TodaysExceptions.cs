namespace RenderFarm.Architecture.Tests;

/// <summary>
/// Where the tree does not keep its own rules yet, the only list of it. It shrinks: an entry that nothing needs any more
/// fails the test of its rule, and so does everything that is new.
/// </summary>
internal static class TodaysExceptions
{
    /// <summary>Pairs of namespaces that use each other, the smaller name first.</summary>
    public static readonly string[] MutualNamespaces = [];

    /// <summary>Projects in which some namespaces reach each other over more than one arrow.</summary>
    public static readonly string[] ProjectsWithCircles = [];

    /// <summary><c>A -> B</c>, B known to A at first hand or through others.</summary>
    public static readonly string[] Arrows = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] Folders = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] FilesWithLongLines = [];

    /// <summary>Paths from the root.</summary>
    public static readonly string[] FilesWithDirectLogCalls = [];

    /// <summary>Paths from the root: log methods without an event id, or with one that is taken.</summary>
    public static readonly string[] FilesWithoutEventIds = [];
}
