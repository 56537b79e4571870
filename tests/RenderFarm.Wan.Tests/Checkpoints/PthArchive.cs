using System.IO.Compression;
using System.Text;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>Writes <c>.pth</c> archives by hand, honest and otherwise.</summary>
internal static class PthArchive
{
    public static void Write(string path, byte[] pickle, params (string Key, byte[] Data)[] storages) =>
        Write(path, pickle, "little", storages);

    public static void Write(string path, byte[] pickle, string byteOrder, params (string Key, byte[] Data)[] storages)
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Add(archive, "archive/data.pkl", pickle);
        Add(archive, "archive/byteorder", Encoding.ASCII.GetBytes(byteOrder));
        foreach (var (key, data) in storages)
        {
            Add(archive, $"archive/data/{key}", data);
        }
    }

    /// <summary>A dictionary of one tensor <c>w</c> in storage <c>0</c>, as torch writes it.</summary>
    public static byte[] OneTensor(
        string storageType = "FloatStorage",
        byte elements = 6,
        byte offset = 0,
        byte[]? shape = null,
        byte[]? strides = null
    ) =>
        [
            0x80,
            2,
            .. "}"u8,
            .. "q"u8,
            0,
            .. Text("w"),
            .. "ctorch._utils\n_rebuild_tensor_v2\n"u8,
            .. "("u8, // Its arguments
            .. "("u8,
            .. Text("storage"),
            .. Encoding.ASCII.GetBytes($"ctorch\n{storageType}\n"),
            .. Text("0"),
            .. Text("cpu"),
            .. "K"u8,
            elements,
            .. "tQ"u8,
            .. "K"u8,
            offset,
            .. Tuple(shape ?? [2, 3]),
            .. Tuple(strides ?? [3, 1]),
            0x89,
            .. "ccollections\nOrderedDict\n)R"u8,
            .. "tR"u8,
            .. "s."u8,
        ];

    private static byte[] Text(string text) => [.. "X"u8, (byte)text.Length, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Tuple(byte[] numbers) => [.. "("u8, .. numbers.SelectMany(number => new byte[] { (byte)'K', number }), .. "t"u8];

    private static void Add(ZipArchive archive, string name, byte[] data)
    {
        using var stream = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
        stream.Write(data);
    }
}
