using System.Text.Json;

namespace RenderFarm.Cli.Http;

/// <summary>A request with files: every field is a part, objects as JSON text.</summary>
internal static class VideoForm
{
    /// <exception cref="FarmException"><c>no_such_file</c>.</exception>
    public static MultipartFormDataContent Of(VideoRequest request, IReadOnlyDictionary<string, string> files)
    {
        var form = new MultipartFormDataContent();
        foreach (var field in JsonSerializer.SerializeToElement(request, FarmJson.Default.VideoRequest).EnumerateObject())
        {
            form.Add(
                new StringContent(field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText()),
                field.Name
            );
        }

        foreach (var (field, path) in files)
        {
            form.Add(new StreamContent(Open(path)), field, Path.GetFileName(path));
        }

        return form;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FarmException("no_such_file", $"can't read {Path.GetFullPath(path)}: {error.Message}", error);
        }
    }
}
