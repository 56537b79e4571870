namespace RenderFarm.Inference.Tests;

/// <summary>A folder of one test's own, gone afterwards.</summary>
public sealed class Scratch : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("renderfarm-test-");

    public string this[string name] => Path.Combine(_directory.FullName, name);

    public void Dispose() => _directory.Delete(recursive: true);
}
