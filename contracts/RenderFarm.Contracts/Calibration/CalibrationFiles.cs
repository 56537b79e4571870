using System.Globalization;
using System.Text;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Contracts.Calibration;

/// <summary>
/// Calibrations on this host, a JSON file each. The renderer, which can measure, writes them; the worker, which plans, reads them. A
/// file's name and what it says of its subject tell it from another device's, libtorch's or version's.
/// </summary>
public static class CalibrationFiles
{
    private const string Whole = ".json";
    private const string Unfinished = ".unfinished";

    /// <summary>Rates belong to the version that measured them: its kernels are part of what was measured.</summary>
    public static string Version => FarmVersion.Release;

    /// <summary>Null where the subject was never measured; the driver may have been another.</summary>
    public static CalibrationRecord? Find(string folder, CalibrationSubject subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return Read(PathOf(folder, subject, Whole)) is { } found && subject.HasRatesOf(found.Subject) ? found : null;
    }

    /// <summary>Measuring that was broken off, with this driver too; null where there is none.</summary>
    public static CalibrationRecord? FindUnfinished(string folder, CalibrationSubject subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return Read(PathOf(folder, subject, Unfinished)) is { } found && found.Subject == subject ? found : null;
    }

    /// <summary>Something was measured on this host, whatever it was.</summary>
    public static bool Any(string folder) => Directory.Exists(folder) && Directory.EnumerateFiles(folder, $"*{Whole}").Any();

    /// <summary>The pieces so far.</summary>
    public static void WriteUnfinished(string folder, CalibrationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Write(folder, record, Unfinished);
    }

    /// <summary>In the place of what was kept of the subject before.</summary>
    /// <returns>Where it lies now.</returns>
    public static string Write(string folder, CalibrationRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        var path = Write(folder, record, Whole);
        File.Delete(PathOf(folder, record.Subject, Unfinished));
        return path;
    }

    private static string Write(string folder, CalibrationRecord record, string ending)
    {
        Directory.CreateDirectory(folder);
        var path = PathOf(folder, record.Subject, ending);
        var aside = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}");
        File.WriteAllBytes(aside, JsonSerializer.SerializeToUtf8Bytes(record, ContractsJson.Default.CalibrationRecord));
        File.Move(aside, path, overwrite: true);
        return path;
    }

    private static CalibrationRecord? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), ContractsJson.Default.CalibrationRecord);
        }
        catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
        {
            return null; // Not readable, or of a version that wrote it otherwise: as good as not measured, and measuring replaces it
        }
    }

    /// <summary>Another driver has no other file: its rates stand until they are measured again.</summary>
    private static string PathOf(string folder, CalibrationSubject subject, string ending)
    {
        var said = $"{subject.Uuid ?? subject.Device} {subject.Version} {subject.LibTorch}";
        var name = new StringBuilder(said.Length);
        foreach (var c in said)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? char.ToLowerInvariant(c) : '-');
        }

        return Path.Combine(folder, name.Append(ending).ToString());
    }
}
