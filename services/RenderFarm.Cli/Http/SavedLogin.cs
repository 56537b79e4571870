using System.Text.Json;

namespace RenderFarm.Cli.Http;

/// <summary>The farm that <c>login</c> chose and its key, in the user's own configuration (mode 600).</summary>
internal sealed record SavedLogin(string Url, string Key)
{
    /// <summary><c>$XDG_CONFIG_HOME/renderfarm/login.json</c>, which is <c>~/.config/…</c> where nothing is set.</summary>
    public static string FilePath =>
        Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "renderfarm",
            "login.json"
        );

    /// <summary>Null where nobody has logged in.</summary>
    /// <exception cref="FarmException">The file is there, and is not one.</exception>
    public static SavedLogin? Read()
    {
        try
        {
            return File.Exists(FilePath) ? JsonSerializer.Deserialize(File.ReadAllText(FilePath), FarmJson.Default.SavedLogin) : null;
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new FarmException("bad_login", $"can't read {FilePath}: {error.Message} Write it anew with ./farm login", error);
        }
    }

    public void Write()
    {
        var folder = Path.GetDirectoryName(FilePath)!;
        var part = $"{FilePath}.{Guid.NewGuid():N}.part";
        try
        {
            Directory.CreateDirectory(folder);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new FileStream(part, options))
            {
                JsonSerializer.Serialize(file, this, FarmJson.Default.SavedLogin);
            }

            File.Move(part, FilePath, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FarmException("cannot_write", $"can't write {FilePath}: {error.Message}", error);
        }
    }

    /// <returns>False where there was none.</returns>
    public static bool Remove()
    {
        var there = File.Exists(FilePath);
        File.Delete(FilePath);
        return there;
    }
}
