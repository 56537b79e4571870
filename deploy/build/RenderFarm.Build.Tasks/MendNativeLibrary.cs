using Microsoft.Build.Framework;
using RenderFarm.Build.Tasks.Elf;
using Task = Microsoft.Build.Utilities.Task;

namespace RenderFarm.Build.Tasks;

/// <summary>
/// Writes a copy of a native library in which a version need is weak and a function does nothing; the source stays untouched.
/// </summary>
public sealed class MendNativeLibrary : Task
{
    [Required]
    public string Source { get; set; } = "";

    [Required]
    public string Destination { get; set; } = "";

    /// <summary>The version that the library shall load without.</summary>
    [Required]
    public string WeakVersion { get; set; } = "";

    /// <summary>The function that shall return at once.</summary>
    [Required]
    public string IdleFunction { get; set; } = "";

    public override bool Execute()
    {
        try
        {
            var file = ElfFile.Parse(File.ReadAllBytes(Source));
            if (Weaken(file) && Silence(file))
            {
                Replace(file);
            }
        }
        catch (Exception error) when (error is ElfFormatException or IOException or UnauthorizedAccessException)
        {
            Log.LogError("{0} can't be mended: {1}", Source, error.Message);
        }
        return !Log.HasLoggedErrors;
    }

    private bool Weaken(ElfFile file)
    {
        var needs = VersionNeed.Of(file).Where(need => need.Version == WeakVersion).ToList();
        needs.ForEach(need => need.Weaken(file));
        if (needs.Count == 0)
        {
            Log.LogWarning(
                "{0} doesn't ask for {1} any more: WeakVersion can go from deploy/build/TorchNative.targets",
                Source,
                WeakVersion
            );
        }
        return true;
    }

    private bool Silence(ElfFile file)
    {
        var functions = ElfFunction.Of(file).Where(function => function.Name == IdleFunction).ToList();
        if (functions is not [var function])
        {
            Log.LogError(
                "{0} has {1} functions named {2} instead of one: see in deploy/build/TorchNative.targets what it is for, and whether it "
                    + "still is",
                Source,
                functions.Count,
                IdleFunction
            );
            return false;
        }
        function.ReturnAtOnce(file);
        return true;
    }

    // By a new name first: a build that is stopped here leaves no half of a library, and a process that has the old one open keeps it.
    private void Replace(ElfFile file)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Destination))!);
        var fresh = $"{Destination}.{Environment.ProcessId}";
        File.WriteAllBytes(fresh, file.Bytes);
        File.Move(fresh, Destination, overwrite: true);
    }
}
