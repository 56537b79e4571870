using System.Text.RegularExpressions;

namespace RenderFarm.Hosting.Torch;

/// <summary>A folder with a libtorch in it, as far as its files tell: nothing is loaded.</summary>
/// <param name="Path">Such as <c>…/site-packages/torch/lib</c>.</param>
public sealed partial record LibTorchFolder(string Path)
{
    /// <summary>Names folders, separated by colons: the first with a libtorch is used, whatever came with the build.</summary>
    public const string Variable = "TORCH_LIB";

    /// <summary>Where a build carries its own, apart from all other libraries: only so is there never a second one on the way.</summary>
    public const string OwnName = "libtorch";

    /// <summary>The oldest that the binding works with.</summary>
    public static Version Oldest { get; } = new(2, 10);

    private const string Core = "libc10.so";
    private const string Cpu = "libtorch_cpu.so";
    private const string Whole = "libtorch.so";
    private const string CudaCore = "libc10_cuda.so";
    private const string Cuda = "libtorch_cuda.so";

    /// <summary>With products and kernels for NVIDIA cards.</summary>
    public bool HasCuda => Has(Cuda);

    /// <summary>In the order in which each finds there what it needs.</summary>
    public IReadOnlyList<string> Libraries =>
        [
            .. (HasCuda ? (string[])[Core, Cpu, CudaCore, Cuda, Whole] : [Core, Cpu, Whole]).Select(name =>
                System.IO.Path.Combine(Path, name)
            ),
        ];

    /// <summary>
    /// Where a PyTorch keeps the CUDA libraries that it came with: <c>nvidia/*/lib</c> beside <c>torch/lib</c>. Those that it loads late,
    /// by name, are looked for there.
    /// </summary>
    public IReadOnlyList<string> CudaFolders
    {
        get
        {
            var nvidia = System.IO.Path.Combine(Path, "..", "..", "nvidia");
            return Directory.Exists(nvidia)
                ?
                [
                    .. Directory
                        .EnumerateDirectories(nvidia)
                        .Select(package => System.IO.Path.GetFullPath(System.IO.Path.Combine(package, "lib")))
                        .Where(Directory.Exists)
                        .Order(StringComparer.Ordinal),
                ]
                : [];
        }
    }

    /// <summary>As written beside it, by PyTorch (<c>version.py</c>) or in an archive (<c>build-version</c>); else null.</summary>
    public string? StatedVersion =>
        Stated(System.IO.Path.Combine(Path, "..", "version.py"), VersionOfPython())
        ?? Stated(System.IO.Path.Combine(Path, "..", "build-version"), FirstLine());

    /// <summary>The one beside this program; null where the build carries none.</summary>
    public static LibTorchFolder? Own(string programFolder) => Of(System.IO.Path.Combine(programFolder, OwnName));

    /// <summary>The one that the system's loader is told of (<c>LD_LIBRARY_PATH</c>); null where it is told of none.</summary>
    public static LibTorchFolder? OnLoadersPath =>
        (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(Of)
            .FirstOrDefault(folder => folder is not null);

    /// <summary>Null where there is none.</summary>
    public static LibTorchFolder? Of(string folder)
    {
        var found = new LibTorchFolder(System.IO.Path.GetFullPath(folder));
        return found.Has(Cpu) ? found : null;
    }

    /// <summary>The first of several folders that has one; the others may hold what it needs, and no part of another one.</summary>
    /// <param name="named">What names the folders, for the message.</param>
    /// <exception cref="LibTorchException">There is none, or it is spread over two of them.</exception>
    public static LibTorchFolder Among(string folders, string named)
    {
        ArgumentNullException.ThrowIfNull(folders);
        var all = folders.Split(':', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var found =
            all.Select(Of).FirstOrDefault(one => one is not null)
            ?? throw new LibTorchException(
                $"{named} is '{folders}', and there is no {Cpu} in it; name the folder torch/lib of an installed PyTorch "
                    + $"({Oldest} or newer)"
            );
        foreach (var name in found.Libraries.Select(path => System.IO.Path.GetFileName(path)).Where(name => !found.Has(name)))
        {
            if (all.FirstOrDefault(one => File.Exists(System.IO.Path.Combine(one, name))) is { } other)
            {
                throw new LibTorchException(
                    $"{named} would mix two libtorch: {Cpu} is in {found.Path} and {name} in {other}; name one folder that has both"
                );
            }
        }

        return found;
    }

    /// <exception cref="LibTorchException">A library is missing, or what is written beside it is too old.</exception>
    public void Require()
    {
        if (Libraries.FirstOrDefault(library => !File.Exists(library)) is { } missing)
        {
            throw new LibTorchException(
                $"the libtorch in {Path} is not whole: {System.IO.Path.GetFileName(missing)} is missing; install it again, or name "
                    + $"another in {Variable}"
            );
        }

        if (StatedVersion is { } stated && Number(stated) < Oldest)
        {
            throw new LibTorchException($"the libtorch in {Path} is {stated}; {Oldest} or newer is needed: pip install --upgrade torch");
        }
    }

    /// <summary>2.11 of <c>2.11.0+cu130</c>.</summary>
    public static Version Number(string version) =>
        LeadingNumbers().Match(version ?? "") is { Success: true } found
            ? new Version(int.Parse(found.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture),
                int.Parse(found.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture))
            : new Version(0, 0);

    private bool Has(string name) => File.Exists(System.IO.Path.Combine(Path, name));

    private static string? Stated(string file, Regex pattern) =>
        File.Exists(file) && pattern.Match(File.ReadAllText(file)) is { Success: true } found ? found.Groups[1].Value : null;

    [GeneratedRegex("""^__version__\s*(?::[^=]*)?=\s*['"]([^'"]+)['"]""", RegexOptions.Multiline)]
    private static partial Regex VersionOfPython();

    [GeneratedRegex(@"\A\s*(\S+)")]
    private static partial Regex FirstLine();

    [GeneratedRegex(@"\A(\d+)\.(\d+)")]
    private static partial Regex LeadingNumbers();
}
