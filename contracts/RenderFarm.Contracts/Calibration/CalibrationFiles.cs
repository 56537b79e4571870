using System.Globalization;
using System.Text;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Contracts.Calibration;

/// <summary>
/// Calibrations on this host, a JSON file each. The renderer, which can measure, writes them; the worker, which plans, reads
/// them. A file of another card, driver or version is never found: its name and its key say so.
/// </summary>
public static class CalibrationFiles
{
    /// <summary>Rates belong to the version that measured them: its kernels are part of what was measured.</summary>
    public static string Version => FarmVersion.Release;

    /// <summary><c>calibration</c> in <c>RENDERFARM_HOME</c>, or in <c>~/.renderfarm</c>.</summary>
    public static string DefaultFolder =>
        Path.Combine(
            Environment.GetEnvironmentVariable("RENDERFARM_HOME") is { Length: > 0 } home
                ? Path.GetFullPath(home)
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".renderfarm"),
            "calibration"
        );

    /// <summary>Of the slot's card as it is now; null when it was not measured with this driver and version.</summary>
    public static CardCalibration? Find(string folder, string key)
    {
        var path = Path.Combine(folder, FileName(key));
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(path), ContractsJson.Default.CardCalibration);
            return read?.Key == key ? read : null;
        }
        catch (JsonException)
        {
            return null; // Cut off while it was written: as good as not measured, and measuring replaces it
        }
    }

    /// <returns>Where it lies now.</returns>
    public static string Write(string folder, CardCalibration calibration)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, FileName(calibration.Key));
        var aside = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}");
        File.WriteAllBytes(aside, JsonSerializer.SerializeToUtf8Bytes(calibration, ContractsJson.Default.CardCalibration));
        File.Move(aside, path, overwrite: true);
        return path;
    }

    private static string FileName(string key)
    {
        var name = new StringBuilder(key.Length);
        foreach (var c in key)
        {
            name.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? char.ToLowerInvariant(c) : '-');
        }

        return name.Append(".json").ToString();
    }
}
