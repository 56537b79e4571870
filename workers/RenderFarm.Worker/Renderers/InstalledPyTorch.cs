using System.Diagnostics;
using RenderFarm.Hosting.Torch;

namespace RenderFarm.Worker.Renderers;

/// <summary>Looks for a PyTorch with CUDA on this host: the active environment, python3's own, virtual environments, conda.</summary>
/// <param name="environment">Variables of this process.</param>
/// <param name="root">Of the file system.</param>
internal sealed class InstalledPyTorch(Func<string, string?> environment, string root = "/")
{
    private const string Question = "import importlib.util as u; s = u.find_spec('torch'); print(s.origin if s else '')";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly string[] InHome =
    [
        ".venv", "venv", "env", ".virtualenvs/*", ".pyenv/versions/*",
        "miniconda3", "anaconda3", "miniforge3", "miniconda3/envs/*", "anaconda3/envs/*", "miniforge3/envs/*", ".conda/envs/*",
    ];

    private static readonly string[] Elsewhere = ["opt/venv", "venv", "opt/conda", "opt/conda/envs/*", "workspace/venv"];

    /// <returns>The first that can be used, and why those before it can't.</returns>
    public (LibTorchFolder? Found, IReadOnlyList<string> Refused) Find()
    {
        List<string> refused = [];
        foreach (var folder in Candidates().Distinct(StringComparer.Ordinal))
        {
            if (LibTorchFolder.Of(folder) is not { } candidate)
            {
                continue;
            }

            if (!candidate.HasCuda)
            {
                refused.Add($"{candidate.Path} is built for the CPU");
                continue;
            }

            try
            {
                candidate.Require();
                return (candidate, refused);
            }
            catch (LibTorchException fault)
            {
                refused.Add(fault.Message);
            }
        }

        return (null, refused);
    }

    private IEnumerable<string> Candidates()
    {
        foreach (var variable in new[] { "VIRTUAL_ENV", "CONDA_PREFIX" })
        {
            foreach (var folder in environment(variable) is { Length: > 0 } active ? OfEnvironment(active) : [])
            {
                yield return folder;
            }
        }

        if (OfPython() is { } own)
        {
            yield return own;
        }

        var places = environment("HOME") is { Length: > 0 } home ? InHome.Select(place => Path.Combine(home, place)) : [];
        places = places.Concat(Elsewhere.Select(place => Path.Combine(root, place)));
        foreach (var folder in places.SelectMany(Expand).SelectMany(OfEnvironment))
        {
            yield return folder;
        }
    }

    /// <summary>A star stands for every folder there.</summary>
    private static IEnumerable<string> Expand(string place) =>
        !place.EndsWith("/*", StringComparison.Ordinal) ? [place]
        : Directory.Exists(place[..^2]) ? Directory.EnumerateDirectories(place[..^2]).Order(StringComparer.Ordinal)
        : [];

    private static IEnumerable<string> OfEnvironment(string folder)
    {
        var libraries = Path.Combine(folder, "lib");
        return Directory.Exists(libraries)
            ? Directory
                .EnumerateDirectories(libraries, "python3*")
                .OrderDescending(StringComparer.Ordinal)
                .Select(python => Path.Combine(python, "site-packages", "torch", "lib"))
            : [];
    }

    /// <summary>Python itself knows best where its packages are; nothing of PyTorch is imported for it.</summary>
    private string? OfPython()
    {
        var start = new ProcessStartInfo(environment("PYTHON") is { Length: > 0 } named ? named : "python3", ["-c", Question])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var python = Process.Start(start)!;
            var said = python.StandardOutput.ReadToEndAsync();
            if (!python.WaitForExit(Patience))
            {
                python.Kill(entireProcessTree: true);
                return null;
            }

            var origin = said.GetAwaiter().GetResult().Trim();
            return python.ExitCode == 0 && origin.Length > 0 ? Path.Combine(Path.GetDirectoryName(origin)!, "lib") : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // There is no such program
        }
    }
}
