using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Farm;

/// <summary>The farm that is up on this machine, as it says in its home: what verbs speak to when nothing else says so.</summary>
/// <param name="Url">For whoever is on this machine.</param>
/// <param name="Certificate">The file of the one by which it is known; null: plain HTTP.</param>
internal sealed record FarmHere(string Url, string? Certificate)
{
    private const string FileName = "farm.address";

    /// <summary>Null where none has been up since there are such files.</summary>
    public static FarmHere? Read(FarmHome home)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(home.Root, FileName)) is [var url, var certificate]
                ? new FarmHere(url, certificate.Length == 0 ? null : certificate)
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // Nobody's, or another user's
        }
    }

    public void Write(FarmHome home)
    {
        using var file = new StreamWriter(
            Path.Combine(home.Root, FileName),
            PrivateFiles.Options(FileMode.Create, FileAccess.Write, FileShare.Read)
        );
        file.Write($"{Url}\n{Certificate}\n");
    }
}
