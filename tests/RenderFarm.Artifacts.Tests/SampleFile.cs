using System.Security.Cryptography;
using System.Text;

namespace RenderFarm.Artifacts.Tests;

/// <summary>A file of known bytes, gone after the test.</summary>
internal sealed class SampleFile : IDisposable
{
    public SampleFile(byte[] bytes)
    {
        Bytes = bytes;
        Path = System.IO.Path.GetTempFileName();
        File.WriteAllBytes(Path, bytes);
        Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    public byte[] Bytes { get; }
    public string Path { get; }
    public string Sha256 { get; }

    public static SampleFile Of(string text) => new(Encoding.ASCII.GetBytes(text));

    public void Dispose() => File.Delete(Path);
}
