namespace RenderFarm.Inference.Safetensors;

/// <summary>
/// The file at the end of a link: downloads often keep their files in one folder and links to them in others. Size and time of a
/// <see cref="FileInfo"/> are otherwise those of the link.
/// </summary>
public static class LinkedFile
{
    public static FileInfo Of(string path)
    {
        var file = new FileInfo(path);
        return file.LinkTarget is null ? file : (FileInfo)file.ResolveLinkTarget(returnFinalTarget: true)!;
    }
}
